"""Nodes as systemd containers on the local Docker engine."""

from collections.abc import Callable, Mapping
from functools import cached_property
from ipaddress import IPv4Network
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from lab.artefacts import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.host import packages
from lab.host.requirements import GIB, DiskSpace, Requirements, raise_sysctls
from lab.nodes.node import Node, Role
from lab.nodes.state import StateDirectory
from lab.providers.container import (
    engine,
    keys,
    labels,
    machine,
    network,
    node_image,
    volumes,
)
from lab.providers.container.engine import refusals
from lab.providers.provider import NodeFiles, NodeSet

PROGRAMS = {"dockerd": "docker.io", "iptables": "iptables"}
"""What the engine needs here, with its Debian packages."""
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

    files = NodeFiles(artefacts_dir=machine.CACHE_IN_NODE, artefacts_mounted=True, storage="shared")

    def __init__(self, lab: str, state: StateDirectory, cache: Cache) -> None:
        self._lab = lab
        self._state = state
        self._cache = cache

    def requirements(self, nodes: int) -> Requirements:
        """Return the engine's programs, and memory and disk for `nodes` more nodes."""
        return Requirements(
            programs=PROGRAMS,
            memory=nodes * MEMORY_PER_NODE,
            memory_purpose=f"{nodes} nodes",
            disk=(
                DiskSpace(
                    path=engine.data_directory(), size=nodes * DISK_PER_NODE, purpose="the nodes"
                ),
            ),
            sysctls=SYSCTLS,
        )

    def availability(self) -> str:
        """Return whether the engine answers."""
        try:
            engine.connect()
        except LabError as error:
            return f"Docker engine: {error.message} {error.cure}"
        return "Docker engine: answers"

    def prepare_machine(self, progress: Progress) -> None:
        """Install the engine, start it, and raise the limits that all nodes share."""
        packages.ensure(PROGRAMS, progress)
        engine.ensure(progress)
        raise_sysctls(SYSCTLS, progress)

    def artefacts(self) -> Mapping[str, Callable[[Job], Artefact]]:
        """Return the node image."""
        return {"node image": lambda job: node_image.archive(self._cache, job)}

    def list_nodes(self) -> NodeSet:
        """Return what exists of the lab, in whatever state."""
        with refusals("list the lab's containers"):
            containers = self._containers()
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
        image = node_image.ensure(self._client, self._cache, progress)
        with refusals("create the lab's containers"):
            self._refuse_taken_names(hosts)
            subnet = network.ensure(self._client, self._lab, inventory.settings.lab_subnet)
            self._state.make_keys()
            addresses = _addresses(hosts, subnet)
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
                    )
            for container in self._containers():
                machine.refuse_other_cache(container, self._cache.root)
                keys.put(container, self._state)

    def start(self) -> None:
        """Start the containers that don't run, and wake those that are paused."""
        for container in self._containers():
            with refusals(f"start {container.name}"):
                if container.status == "paused":
                    container.unpause()
                elif container.status != "running":
                    container.start()

    def stop(self) -> None:
        """Shut the nodes down in order; after STOP_LIMIT_S seconds, the engine kills them."""
        for container in self._containers():
            with refusals(f"stop {container.name}"):
                container.stop(timeout=STOP_LIMIT_S)

    def power_off(self, node: Node) -> None:
        """Kill the node's container: its processes end without a word."""
        with refusals(f"kill {machine.name(self._lab, node.name)}"):
            self._client.containers.get(machine.name(self._lab, node.name)).kill()

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
        return "\n".join(parts)

    def destroy(self) -> list[str]:
        """Remove containers, volumes and the network."""
        removed = []
        with refusals("remove the lab"):
            for container in self._containers():
                container.remove(force=True, v=True)
                removed.append(f"container {container.name}")
            removed += [f"volume {volume}" for volume in volumes.remove(self._client, self._lab)]
            removed += [f"network {net}" for net in network.remove(self._client, self._lab)]
        return removed

    @cached_property
    def _client(self) -> docker.DockerClient:
        return engine.connect()

    def _containers(self) -> list[Container]:
        found: list[Container] = self._client.containers.list(
            all=True, filters=labels.of_lab(self._lab)
        )
        return sorted(found, key=lambda container: str(container.name))

    def _refuse_taken_names(self, hosts: Mapping[str, Role]) -> None:
        for host in hosts:
            name = machine.name(self._lab, host)
            try:
                found = self._client.containers.get(name).labels
            except NotFound:
                continue
            if found.get(labels.LAB) != self._lab:
                raise LabError(
                    f"A container that is not of this kit is already called {name}.",
                    "Give the lab another name with --name.",
                )


def _addresses(hosts: Mapping[str, Role], subnet: IPv4Network) -> dict[str, str]:
    """Give each host the next address of its role."""
    following = dict(FIRST_ADDRESS)
    addresses = {}
    for host, role in hosts.items():
        addresses[host] = str(subnet[following[role]])
        following[role] += 1
    return addresses
