"""Nodes as systemd containers on the local Docker engine.

Everything that is known of a lab stands in its containers' labels. The containers
run without --privileged, which engines without CAP_SYS_RESOURCE refuse: what a
node lacks then (writable cgroups, /dev/kmsg) its image makes at boot.
"""

import io
import ipaddress
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, Mount

from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.nodes.node import Node, Role
from lab.nodes.state import State
from lab.providers.container import network
from lab.providers.provider import Found

LABEL = "blackstart.lab"
ROLE_LABEL = "blackstart.role"
HOST_LABEL = "blackstart.host"
DISTRIBUTION_LABEL = "blackstart.distribution"
CACHE_IN_NODE = "/var/cache/blackstart"
"""Where a node sees the control machine's artefact cache, read-only."""
SHARED_IN_NODE = "/var/lib/blackstart/shared"
"""Where all nodes of a lab see one and the same directory."""
STATE_IN_NODE = ("/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/rancher")
"""Directories on volumes: an overlay file system cannot lie on another one."""
FIRST_ADDRESS = {"server": 11, "worker": 101}
"""Last byte of the first node's address, by role."""
CAP_SYS_RESOURCE = 24
STOP_LIMIT_S = 10


class ContainerProvider:
    """Container nodes of the lab that `settings` names."""

    def __init__(
        self,
        client: docker.DockerClient,
        settings: Settings,
        state: State,
        *,
        image: str = "",
        cache: Path | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._name = settings.lab_name
        self._state = state
        self._image = image
        self._cache = cache

    def find(self) -> Found:
        """Return what exists of the lab, in whatever state."""
        containers = self._containers()
        nodes = sorted((self._node(c) for c in containers), key=lambda n: (n.role, n.name))
        running = frozenset(c.labels[HOST_LABEL] for c in containers if c.status == "running")
        distributions = [c.labels[DISTRIBUTION_LABEL] for c in containers]
        return Found(
            nodes=tuple(nodes), running=running, distribution=next(iter(distributions), "")
        )

    def create(self, hosts: Mapping[str, Role], distribution: str) -> tuple[Node, ...]:
        """Create and start what is missing of `hosts`, and return all nodes.

        They remember what `distribution` they were made for. Raises LabError where the
        lab's name or network is taken, or the lab exists with other hosts or with
        another artefact cache.
        """
        found = self.find()
        if strangers := {node.name for node in found.nodes} - hosts.keys():
            raise LabError(
                f"The lab {self._name!r} has nodes that its inventory does not: "
                f"{', '.join(sorted(strangers))}.",
                "Run `lab down` first, or give this lab another name.",
            )
        self._refuse_taken_names(hosts)
        subnet = self._network()
        self._state.make_keys()
        addresses = _addresses(hosts, subnet)
        self._state.know_hosts(list(addresses.values()))
        there = {node.name for node in found.nodes}
        for host, role in hosts.items():
            if host not in there:
                self._create(host, role, addresses, distribution)
        for container in self._containers():
            self._refuse_other_cache(container)
            self._let_in(container)
            if container.status != "running":
                container.start()
        return self.find().nodes

    def destroy(self) -> list[str]:
        """Remove containers with their volumes, the shared volume and the network."""
        removed = []
        for container in self._containers():
            container.remove(force=True, v=True)
            removed.append(f"container {container.name}")
        labelled: dict[str, Any] = {"label": f"{LABEL}={self._name}"}
        for volume in self._client.volumes.list(filters=labelled):
            volume.remove(force=True)
            removed.append(f"volume {volume.name}")
        for net in self._client.networks.list(filters=labelled):
            net.remove()
            removed.append(f"network {net.name}")
        return removed

    def journal(self) -> str:
        """Return the last journal lines of each node, for a boot that failed."""
        parts = []
        for container in self._containers():
            container.reload()
            lines = ["journalctl", "-b", "-p", "warning", "-n", "8", "--no-pager", "-o", "cat"]
            parts.append(f"== {container.name} ({container.status})")
            if container.status == "running":
                output: Any = container.exec_run(lines).output
                parts.append(output.decode(errors="replace"))
        return "\n".join(parts)

    def _containers(self) -> list[Container]:
        filters: dict[str, Any] = {"label": f"{LABEL}={self._name}"}
        found: list[Container] = self._client.containers.list(all=True, filters=filters)
        return sorted(found, key=lambda container: str(container.name))

    def _node(self, container: Container) -> Node:
        # A stopped container keeps the address that it asked for in IPAMConfig only.
        endpoint = container.attrs["NetworkSettings"]["Networks"].get(self._name) or {}
        address = (endpoint.get("IPAMConfig") or {}).get("IPv4Address") or endpoint.get("IPAddress")
        labels = container.labels
        return Node(
            name=labels[HOST_LABEL],
            role="server" if labels[ROLE_LABEL] == "server" else "worker",
            address=address or "",
            ssh=self._state.ssh,
        )

    def _refuse_taken_names(self, hosts: Mapping[str, Role]) -> None:
        for host in hosts:
            name = f"{self._name}-{host}"
            try:
                labels = self._client.containers.get(name).labels
            except NotFound:
                continue
            if labels.get(LABEL) != self._name:
                raise LabError(
                    f"A container that is not of this kit is already called {name}.",
                    "Give the lab another name with --name.",
                )

    def _network(self) -> ipaddress.IPv4Network:
        """Return the lab's network; made where it is missing.

        It is internal: before kube-proxy has written its rules, a Service address
        would leave by the default route, and something outside may answer.
        """
        for net in self._client.networks.list(names=[self._name]):
            if net.name != self._name:
                continue
            if net.attrs["Labels"].get(LABEL) != self._name:
                raise LabError(
                    f"A Docker network that is not of this kit is already called {self._name}.",
                    "Give the lab another name with --name.",
                )
            return ipaddress.IPv4Network(net.attrs["IPAM"]["Config"][0]["Subnet"])
        pools = [config for net in self._client.networks.list() for config in _pools(net)]
        chosen = network.choose(self._settings.lab_subnet, [*pools, *network.routed()])
        self._client.networks.create(
            self._name,
            driver="bridge",
            internal=True,
            labels={LABEL: self._name},
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(chosen), gateway=str(chosen[1]))]),
        )
        return chosen

    def _refuse_other_cache(self, container: Container) -> None:
        """Refuse to go on where the node would look for artefacts elsewhere."""
        for mount in container.attrs["Mounts"]:
            if mount["Destination"] == CACHE_IN_NODE and mount["Source"] != str(self._cache):
                raise LabError(
                    f"{container.name} was made with the artefact cache {mount['Source']}; "
                    f"now it is {self._cache}.",
                    f"Set BLACKSTART_CACHE={mount['Source']}, or run `lab down` first.",
                )

    def _create(
        self, host: str, role: Role, addresses: Mapping[str, str], distribution: str
    ) -> None:
        shared = f"{self._name}-shared"
        # Asking for a volume that is there returns it as it is.
        self._client.volumes.create(shared, labels={LABEL: self._name})
        mounts = [
            *(Mount(path, None, type="volume") for path in STATE_IN_NODE),
            Mount(SHARED_IN_NODE, shared, type="volume"),
            Mount(CACHE_IN_NODE, str(self._cache), type="bind", read_only=True),
        ]
        if Path("/lib/modules").exists():
            mounts.append(Mount("/lib/modules", "/lib/modules", type="bind", read_only=True))
        endpoint = EndpointConfig(self._client.api.api_version, ipv4_address=addresses[host])
        try:
            self._client.containers.create(
                self._image,
                "/sbin/init",
                name=f"{self._name}-{host}",
                hostname=host,
                labels={
                    LABEL: self._name,
                    ROLE_LABEL: role,
                    HOST_LABEL: host,
                    DISTRIBUTION_LABEL: distribution,
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
                network=self._name,
                networking_config={self._name: endpoint},
                stop_signal="SIGRTMIN+3",
            )
        except APIError as error:
            raise LabError(
                f"The Docker engine refused to create the node {host}.",
                "Run `lab down`, mend what the engine says, then run `lab up` again.",
                evidence=str(error.explanation or error),
            ) from None

    def _let_in(self, container: Container) -> None:
        """Put the lab's key and the host key in, which a stopped container takes too."""
        key = Path(f"{self._state.ssh.key}.pub").read_bytes()
        host_key = self._state.host_key
        files = {
            "root/.ssh/authorized_keys": (key, 0o600),
            "etc/ssh/ssh_host_ed25519_key": (host_key.read_bytes(), 0o600),
            "etc/ssh/ssh_host_ed25519_key.pub": (Path(f"{host_key}.pub").read_bytes(), 0o644),
        }
        container.put_archive("/", _tar(files))


def _addresses(hosts: Mapping[str, Role], subnet: ipaddress.IPv4Network) -> dict[str, str]:
    """Give each host the next address of its role."""
    following = dict(FIRST_ADDRESS)
    addresses = {}
    for host, role in hosts.items():
        addresses[host] = str(subnet[following[role]])
        following[role] += 1
    return addresses


def _pools(net: Any) -> list[ipaddress.IPv4Network]:
    configs = (net.attrs.get("IPAM") or {}).get("Config") or []
    subnets = [config["Subnet"] for config in configs if "." in config.get("Subnet", "")]
    return [ipaddress.IPv4Network(subnet) for subnet in subnets]


def _may_raise_limits() -> bool:
    """Tell whether this machine may grant CAP_SYS_RESOURCE (bounding set of this process)."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd"))
    return bool(int(bounding.split()[1], 16) >> CAP_SYS_RESOURCE & 1)


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Return a tar archive of `files`, path to content and mode, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        ssh = tarfile.TarInfo("root/.ssh")
        ssh.type, ssh.mode = tarfile.DIRTYPE, 0o700
        archive.addfile(ssh)
        for path, (content, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
