"""One node's container: systemd as process 1, without --privileged.

Engines without CAP_SYS_RESOURCE refuse --privileged: what a node lacks then (writable
cgroups, /dev/kmsg) its image makes at boot.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import EndpointConfig, Mount

from lab.console.errors import LabError
from lab.nodes.node import Node, Role
from lab.nodes.state import StateDirectory
from lab.providers.container import labels, volumes

CACHE_IN_NODE = "/var/cache/blackstart"
"""Where a node sees the control machine's artefact cache, read-only."""
OF_THE_KERNEL = ("/boot", "/lib/modules")
"""What a node reads of the kernel that it runs on, where this machine has it.

kubeadm refuses a machine whose kernel's configuration it can't find: that of Debian and Ubuntu
lies in /boot only. Directories, as the files' names change with the kernel's release.
"""
REMOVAL_LIMIT_S = 60
CAP_SYS_RESOURCE = 24


def create(
    client: docker.DockerClient,
    *,
    lab: str,
    host: str,
    role: Role,
    distribution: str,
    image: str,
    cache: Path,
    addresses: Mapping[str, str],
    gateway: str,
) -> None:
    """Create the container of `host`; `addresses` are those of all hosts of the lab.

    `gateway` is this machine's on the lab's network.
    """
    mounts = [
        *volumes.mounts(client, lab, host),
        Mount(CACHE_IN_NODE, str(cache), type="bind", read_only=True),
    ]
    mounts += [
        Mount(path, path, type="bind", read_only=True)
        for path in OF_THE_KERNEL
        if Path(path).exists()
    ]
    endpoint = EndpointConfig(client.api.api_version, ipv4_address=addresses[host])
    create_with_all_capabilities(
        client,
        image,
        "/sbin/init",
        name=name(lab, host),
        hostname=host,
        labels={
            **labels.of_new(lab),
            labels.ROLE: role,
            labels.HOST: host,
            labels.DISTRIBUTION: distribution,
        },
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        # Privileged pods, such as kube-proxy, ask for all devices.
        device_cgroup_rules=["a *:* rwm"],
        cgroupns="private",
        environment={"container": "docker"},
        # A node has no way out, and the proxies of ~/.docker/config.json none to it.
        use_config_proxy=False,
        tmpfs={"/run": "", "/tmp": ""},  # noqa: S108 - a mount of the container's own
        mounts=mounts,
        extra_hosts=dict(addresses),
        # The engine would hand questions for other names to this machine's resolver;
        # the node's rules refuse them on their way to the gateway.
        dns=[gateway],
        network=lab,
        networking_config={lab: endpoint},
        stop_signal="SIGRTMIN+3",
    )


def create_with_all_capabilities(
    client: docker.DockerClient, image: str, command: str | list[str], **options: Any
) -> Container:
    """Create a container that has every capability which this machine has to grant.

    Engines before 23.0 call all those of the kernel, and fail with one that they lack; later
    ones know what they lack, and refuse to hear of it.
    """
    if not _may_raise_limits():
        try:
            return client.containers.create(
                image, command, cap_add=["ALL"], cap_drop=["SYS_RESOURCE"], **options
            )
        except APIError as error:
            if "invalid CapDrop" not in str(error.explanation):
                raise
    return client.containers.create(image, command, cap_add=["ALL"], **options)


def name(lab: str, host: str) -> str:
    """Return the name of a host's container."""
    return f"{lab}-{host}"


def node(container: Container, lab: str, state: StateDirectory) -> Node:
    """Return the node that a container is."""
    # A stopped container keeps the address that it asked for in IPAMConfig only.
    endpoint = container.attrs["NetworkSettings"]["Networks"].get(lab) or {}
    address = (endpoint.get("IPAMConfig") or {}).get("IPv4Address") or endpoint.get("IPAddress")
    return Node(
        name=container.labels[labels.HOST],
        cluster=lab,
        role="server" if container.labels[labels.ROLE] == "server" else "worker",
        address=address or "",
        ssh=state.ssh,
    )


def remove(container: Container) -> str:
    """Remove a container in whatever state, and return its name.

    Where another command is at it, wait for its end.
    """
    try:
        container.remove(force=True, v=True)
    except NotFound:
        pass
    except APIError as error:
        if "already in progress" not in str(error.explanation):
            raise
        with suppress(NotFound):
            container.wait(condition="removed", timeout=REMOVAL_LIMIT_S)
    return str(container.name)


def check_kept(container: Container, cache: Path, image: str, warn: Callable[[str], None]) -> None:
    """Raise LabError where the node would look for artefacts elsewhere than in `cache`.

    `warn` where it was made from another image than `image`: it lacks what is new there.
    """
    for mount in container.attrs["Mounts"]:
        if mount["Destination"] == CACHE_IN_NODE and mount["Source"] != str(cache):
            raise LabError(
                f"{container.name} was made with the artefact cache {mount['Source']}; "
                f"now it is {cache}.",
                f"Set BLACKSTART_CACHE={mount['Source']}, or run `lab down` first.",
            )
    if (made := container.attrs["Config"]["Image"]) != image:
        warn(f"  Warning: {container.name} is of another image ({made}): `lab down` and `lab up`")


def _may_raise_limits() -> bool:
    """Tell whether this machine may grant CAP_SYS_RESOURCE (bounding set of this process)."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd"))
    return bool(int(bounding.split()[1], 16) >> CAP_SYS_RESOURCE & 1)
