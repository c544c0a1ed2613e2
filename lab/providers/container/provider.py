"""Nodes as systemd containers on the local Docker engine."""

import itertools
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError
from docker.models.containers import Container

from lab.artefacts import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.host import packages, privileges
from lab.host.requirements import GIB, DiskSpace, Requirements, raise_sysctls
from lab.nodes.node import Node, Role
from lab.nodes.state import StateDirectory
from lab.providers.container import (
    engine,
    engine_choice,
    firewall,
    keys,
    labels,
    machine,
    network,
    node_image,
    volumes,
)
from lab.providers.container.engine import refusals
from lab.providers.provider import NodeFiles, NodeSet, StorageChoice
from service import threads

PROGRAMS = {"ip": "iproute2"}
"""What looks for a free network, with its Debian package."""
ENGINE_PROGRAMS = {"dockerd": "docker.io", "iptables": "iptables"}
"""What makes an engine where none answers, with its Debian packages."""
MEMORY_PER_NODE = 1 * GIB
"""What a node with its share of the workloads needs at most, idle."""
DISK_PER_NODE = 2 * GIB
SYSCTLS = {"fs.inotify.max_user_instances": 1024, "fs.inotify.max_user_watches": 262144}
"""All nodes share the machine's limits; a kubelet that runs out of them fails late."""
FIRST_ADDRESS = {"server": 11, "worker": 101}
"""Last byte of the first node's address, by role."""
STOP_LIMIT_S = 10
"""How long a node may take to shut down in order, in seconds."""


class ContainerProvider:
    """Container nodes of the lab called `lab`."""

    files = NodeFiles(artefacts_dir=machine.CACHE_IN_NODE, artefacts_mounted=True)

    def __init__(self, lab: str, state: StateDirectory, cache: Cache) -> None:
        self._lab = lab
        self._state = state
        self._cache = cache

    def requirements(self, nodes: int) -> Requirements:
        """Return memory and disk for `nodes` more nodes, and an engine where none answers.

        Raises LabError where the engine that is meant can't carry a lab.
        """
        data, programs, root = engine.DATA_DIRECTORY, PROGRAMS, ""
        try:
            data = Path(engine.information()["DockerRootDir"])
        except engine.EngineClosedError:
            root = engine.USE
        except engine.EngineAbsentError:
            root, programs = engine.START, {**PROGRAMS, **ENGINE_PROGRAMS}
        return Requirements(
            programs=programs,
            memory=nodes * MEMORY_PER_NODE,
            memory_purpose=f"{nodes} nodes",
            disk=(DiskSpace(path=data, size=nodes * DISK_PER_NODE, purpose="the nodes"),),
            sysctls=SYSCTLS,
            root=(root,) if root else (),
        )

    def availability(self) -> str:
        """Return which engine answers, and whether its rules let the lab's nodes meet.

        Raises LabError where the engine that is meant can't carry a lab.
        """
        try:
            info = engine.information()
        except (engine.EngineAbsentError, engine.EngineClosedError) as error:
            return f"Docker engine: {error.message} {error.cure}"
        origin = engine_choice.chosen().origin or "this machine's own"
        found = firewall.condition(*self._running())
        said = f"Docker engine: {info['ServerVersion']} answers, {origin}"
        return f"{said}, but {found}" if found else said

    def obstacles(self, inventory: Inventory) -> list[LabError]:
        """Return which names, and which network, of the lab are another's."""
        try:
            engine.information()
        except LabError:
            return []  # `availability` tells
        subnet = inventory.settings.lab_subnet
        storage = inventory.settings.lab_storage
        checks: tuple[Callable[[], None], ...] = (
            partial(self._refuse_taken_names, inventory.hosts),
            partial(network.check_free, self._client, self._lab, subnet),
            partial(volumes.refuse_unfit, storage),
        )
        found = []
        for check in checks:
            try:
                with refusals("look for what the lab's names belong to"):
                    check()
            except LabError as error:
                found.append(error)
        return found

    def storage(self, servers: int) -> StorageChoice:
        """Return GlusterFS, or the nodes' own directories where the kernel can't mount it."""
        return volumes.storage(servers)

    def prepare_machine(self, progress: Progress) -> None:
        """Install the engine, start it, and raise the limits that all nodes share."""
        packages.ensure(self.requirements(0).programs, progress)
        engine.ensure(progress)
        raise_sysctls(SYSCTLS, progress)
        if node_image.needs_root(self._cache):
            privileges.authorise(["make the node image"])

    def artefacts(self) -> Mapping[str, Callable[[Job], Artefact]]:
        """Return the node image."""
        return {"node image": lambda job: node_image.archive(self._cache, job)}

    def list_nodes(self) -> NodeSet:
        """Return what exists of the lab, in whatever state."""
        if self._never_had_an_engine():
            return NodeSet()
        with refusals("list the lab's containers"):
            containers = self._containers()
        labels.refuse_foreign(containers, self._state)
        nodes = [machine.node(container, self._lab, self._state) for container in containers]
        return NodeSet(
            nodes=tuple(sorted(nodes, key=lambda node: (node.role, node.name))),
            running=frozenset(c.labels[labels.HOST] for c in containers if c.status == "running"),
            distribution=next((c.labels[labels.DISTRIBUTION] for c in containers), ""),
        )

    def create(self, inventory: Inventory, distribution: str, progress: Progress) -> None:
        """Create what is missing of the inventory's hosts, and let the lab's key in on all.

        Raises LabError where the lab's name or network is taken, or the lab exists with
        other hosts or with another artefact cache.
        """
        hosts = inventory.hosts
        existing = {node.name for node in self.list_nodes().nodes}
        if strangers := existing - hosts.keys():
            raise LabError(
                f"The lab {self._lab!r} has nodes that its inventory does not: "
                f"{', '.join(sorted(strangers))}.",
                "Run `lab down` first, or give this lab another name.",
            )
        with refusals("create the lab's containers"):
            self._refuse_taken_names(hosts)
        image = node_image.ensure(self._client, self._cache, progress)
        with refusals("create the lab's containers"):
            subnet = self._network(inventory.settings.lab_subnet, progress)
            self._state.make_keys()
            kept = {node.name: node.address for node in self.list_nodes().nodes}
            addresses = _addresses(hosts, subnet, kept)
            self._state.know_hosts(list(addresses.values()))
            for host, role in hosts.items():
                if host not in existing:
                    machine.create(
                        self._client,
                        lab=self._lab,
                        host=host,
                        role=role,
                        distribution=distribution,
                        image=image,
                        cache=self._cache.root,
                        addresses=addresses,
                        gateway=str(subnet[1]),
                    )
            for container in self._containers():
                machine.check_kept(container, self._cache.root, image, progress.note)
                keys.put(container, self._state)

    def start(self) -> None:
        """Start the containers that don't run, and wake those that are paused.

        Raises LabError where this machine's packet filter cuts them apart.
        """
        for container in self._containers():
            with refusals(f"start {container.name}"):
                if container.status == "paused":
                    container.unpause()
                elif container.status != "running":
                    container.start()
        firewall.refuse_cut(*self._running())

    def stop(self) -> None:
        """Shut the nodes down in order; after STOP_LIMIT_S seconds, the engine kills them."""
        stopping = {
            container.name: threads.submit(
                partial(container.stop, timeout=STOP_LIMIT_S), f"stop of {container.name}"
            )
            for container in self._containers()
        }
        for name, stopped in stopping.items():
            with refusals(f"stop {name}"):
                stopped.result()

    def power_off(self, node: Node) -> None:
        """Kill the node's container: its processes end without a word."""
        with refusals(f"kill {machine.name(self._lab, node.name)}"):
            self._client.containers.get(machine.name(self._lab, node.name)).kill()

    def remove(self, name: str) -> list[str]:
        """Remove a node's container and its own volumes."""
        with refusals(f"remove {machine.name(self._lab, name)}"):
            removed = [
                f"container {machine.remove(container)}"
                for container in self._containers()
                if container.labels[labels.HOST] == name
            ]
            own = volumes.remove(self._client, self._lab, name)
            return [*removed, *(f"volume {volume}" for volume in own)]

    def journal(self) -> str:
        """Return the last journal lines of each node, for a boot that failed."""
        parts = []
        with refusals("read the nodes' journals"):
            for container in self._containers():
                container.reload()
                lines = ["journalctl", "-b", "-p", "warning", "-n", "8", "--no-pager", "-o", "cat"]
                parts.append(f"== {container.name} ({container.status})")
                if container.status == "running":
                    output: Any = container.exec_run(lines).output
                    parts.append(output.decode(errors="replace"))
                else:
                    state = container.attrs.get("State", {})
                    parts += [
                        f"exit code {state.get('ExitCode')} {state.get('Error', '')}".strip(),
                        *(["out of memory"] if state.get("OOMKilled") else []),
                        container.logs(tail=8).decode(errors="replace"),
                    ]
        return "\n".join(parts)

    def destroy(self, owner: str = "") -> list[str]:
        """Remove containers, volumes and the network, as many of them as can be."""
        removed: list[str] = []
        refused: list[LabError] = []
        if self._never_had_an_engine():
            return removed
        with refusals("list what the lab has"):
            things = labels.everything(self._client, self._lab)
            labels.refuse_foreign(things, self._state, owner)
            parts = {
                "container": map(machine.remove, self._containers()),
                "volume": volumes.remove(self._client, self._lab),
                "network": network.remove(self._client, self._lab),
            }
        for kind, names in parts.items():
            try:
                with refusals("remove the lab"):
                    for name in names:
                        removed.append(f"{kind} {name}")
            except LabError as error:
                refused.append(error)
        if refused:
            others = [f"{error.message} {error.cure}" for error in refused[1:]]
            evidence = [*others, *(f"  removed {thing}" for thing in removed)]
            raise LabError(refused[0].message, refused[0].cure, evidence="\n".join(evidence))
        return removed

    @cached_property
    def _client(self) -> docker.DockerClient:
        return engine.connect()

    def _never_had_an_engine(self) -> bool:
        """Tell whether no engine answers, nor has one left anything where it could keep nodes."""
        try:
            _ = self._client
        except engine.EngineAbsentError:
            return not engine.DATA_DIRECTORY.exists()
        return False

    def _containers(self) -> list[Container]:
        found: list[Container] = self._client.containers.list(
            all=True, filters=labels.of_lab(self._lab), ignore_removed=True
        )
        return sorted(found, key=lambda container: str(container.name))

    def _running(self) -> tuple[list[Container], list[str]]:
        """Return the containers that run, and their addresses."""
        with refusals("list the lab's containers"):
            found = [c for c in self._containers() if c.status == "running"]
        return found, [machine.node(c, self._lab, self._state).address for c in found]

    def _network(self, wanted: str, progress: Progress) -> IPv4Network:
        """Return the lab's network, after mending the engine where its chains are gone."""
        try:
            return network.ensure(self._client, self._lab, wanted, progress.note)
        except APIError as error:
            if not firewall.is_gone(error):
                raise
            firewall.mend(self._client, error, progress)
        return network.ensure(self._client, self._lab, wanted, progress.note)

    def _refuse_taken_names(self, hosts: Mapping[str, Role]) -> None:
        """Raise LabError where a name of the lab's is another's, before anything is made."""
        labels.refuse_foreign(labels.everything(self._client, self._lab), self._state)
        containers = [machine.name(self._lab, host) for host in hosts]
        of_hosts = {name for host in hosts for name in volumes.names(self._lab, host).values()}
        for kind, collection, names in (
            ("Docker network", self._client.networks, [self._lab]),
            ("container", self._client.containers, containers),
            ("volume", self._client.volumes, sorted(of_hosts)),
        ):
            labels.refuse_taken(kind, collection, names, self._lab)


def _addresses(
    hosts: Mapping[str, Role], subnet: IPv4Network, kept: Mapping[str, str]
) -> dict[str, str]:
    """Give each host the next free address of its role; those in `kept` have theirs."""
    used = {*kept.values()}
    addresses = dict(kept)
    for host, role in hosts.items():
        if host not in kept:
            numbers = itertools.count(FIRST_ADDRESS[role])
            addresses[host] = next(a for n in numbers if (a := str(subnet[n])) not in used)
            used.add(addresses[host])
    return addresses
