"""The lab's containers, as somebody with `docker` in their hands treats them."""

import contextlib
import signal
from collections.abc import Iterator, Sequence

import docker
import psutil
from docker.models.containers import Container

from lab.providers.container import engine, labels, machine, volumes

PARTS = tuple(volumes.STATE_IN_NODE)
"""The volumes of a node, each a disk that may be lost."""
ENGINE_LIMIT_S = 60
"""How long the engine may take to end."""


class Machines:
    """The containers of the lab called `lab`."""

    def __init__(self, lab: str) -> None:
        self._lab = lab

    def kill(self, nodes: Sequence[str]) -> None:
        """Cut the power of nodes."""
        for node in nodes:
            self._container(node).kill()

    def pause(self, node: str) -> None:
        """Freeze a node."""
        self._container(node).pause()

    def stop(self, node: str) -> None:
        """Shut a node down in order."""
        self._container(node).stop(timeout=10)

    def remove(self, nodes: Sequence[str]) -> None:
        """Remove nodes for good, as `docker rm -f` does."""
        for node in nodes:
            self._container(node).remove(force=True)

    def wipe(self, node: str, parts: Sequence[str]) -> None:
        """Empty volumes of a node that is off."""
        container = self._container(node)
        container.kill()
        names = volumes.names(self._lab, node)
        mounts = {
            names[volumes.STATE_IN_NODE[part]]: {"bind": f"/wiped/{part}", "mode": "rw"}
            for part in parts
        }
        self._engine.containers.run(
            container.attrs["Image"],
            ["find", "/wiped", "-mindepth", "2", "-delete"],
            entrypoint="",
            volumes=mounts,
            network_mode="none",
            remove=True,
        )

    @contextlib.contextmanager
    def stranger(self) -> Iterator[str]:
        """Put a container of somebody else on the lab's network, and take it off at the end."""
        image = self._containers()[0].attrs["Image"]
        stranger = self._engine.containers.run(
            image, ["sleep", "600"], name=f"{self._lab}-stranger", network=self._lab, detach=True
        )
        try:
            yield str(stranger.name)
        finally:
            stranger.remove(force=True, v=True)

    def restart_engine(self) -> None:
        """End the engine in order, and leave it to the kit to start it again."""
        found = psutil.process_iter(["name"])
        engines = [process for process in found if process.info["name"] == "dockerd"]
        for process in engines:
            process.send_signal(signal.SIGTERM)
        psutil.wait_procs(engines, timeout=ENGINE_LIMIT_S)

    def force_removal(self) -> None:
        """Remove what the kit did not remove, so that no run leaves anything."""
        for container in self._containers():
            container.remove(force=True, v=True)
        for volume in self._engine.volumes.list(filters=labels.of_lab(self._lab)):
            volume.remove(force=True)
        for network in self._engine.networks.list(filters=labels.of_lab(self._lab)):
            network.remove()

    @property
    def _engine(self) -> docker.DockerClient:
        """A client; one that is kept would not outlive the engine."""
        return engine.connect()

    def _containers(self) -> list[Container]:
        found: list[Container] = self._engine.containers.list(
            all=True, filters=labels.of_lab(self._lab)
        )
        return found

    def _container(self, node: str) -> Container:
        return self._engine.containers.get(machine.name(self._lab, node))
