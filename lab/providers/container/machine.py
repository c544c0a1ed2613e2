"""One node's container: systemd as process 1, without --privileged.

Engines without CAP_SYS_RESOURCE refuse --privileged: what a node lacks then (writable
cgroups, /dev/kmsg) its image makes at boot.
"""

from collections.abc import Mapping
from pathlib import Path

import docker
from docker.models.containers import Container
from docker.types import EndpointConfig, Mount

from lab.console.errors import LabError
from lab.nodes.node import Node, Role
from lab.nodes.state import StateDirectory
from lab.providers.container import labels, volumes

CACHE_IN_NODE = "/var/cache/blackstart"
"""Where a node sees the control machine's artefact cache, read-only."""
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
) -> None:
    """Create the container of `host`; `addresses` are those of all hosts of the lab."""
    mounts = [
        *volumes.mounts(client, lab, host),
        Mount(CACHE_IN_NODE, str(cache), type="bind", read_only=True),
    ]
    if Path("/lib/modules").exists():
        mounts.append(Mount("/lib/modules", "/lib/modules", type="bind", read_only=True))
    endpoint = EndpointConfig(client.api.api_version, ipv4_address=addresses[host])
    client.containers.create(
        image,
        "/sbin/init",
        name=name(lab, host),
        hostname=host,
        labels={
            labels.LAB: lab,
            labels.ROLE: role,
            labels.HOST: host,
            labels.DISTRIBUTION: distribution,
        },
        cap_add=["ALL"],
        cap_drop=[] if _may_raise_limits() else ["SYS_RESOURCE"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        # Privileged pods, such as kube-proxy, ask for all devices.
        device_cgroup_rules=["a *:* rwm"],
        cgroupns="private",
        environment={"container": "docker"},
        tmpfs={"/run": "", "/tmp": ""},  # noqa: S108 - a mount of the container's own
        mounts=mounts,
        extra_hosts=dict(addresses),
        network=lab,
        networking_config={lab: endpoint},
        stop_signal="SIGRTMIN+3",
    )


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


def refuse_other_cache(container: Container, cache: Path) -> None:
    """Raise LabError where the node would look for artefacts elsewhere than in `cache`."""
    for mount in container.attrs["Mounts"]:
        if mount["Destination"] == CACHE_IN_NODE and mount["Source"] != str(cache):
            raise LabError(
                f"{container.name} was made with the artefact cache {mount['Source']}; "
                f"now it is {cache}.",
                f"Set BLACKSTART_CACHE={mount['Source']}, or run `lab down` first.",
            )


def _may_raise_limits() -> bool:
    """Tell whether this machine may grant CAP_SYS_RESOURCE (bounding set of this process)."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd"))
    return bool(int(bounding.split()[1], 16) >> CAP_SYS_RESOURCE & 1)
