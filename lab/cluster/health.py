"""The health of a lab: its nodes, its pods, and the frames outside the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cluster.api import NAMESPACE, is_ready
from lab.cluster.frames import FrameRate, frame_rates, not_flowing
from lab.cluster.lab import Lab
from lab.console.errors import LabError
from lab.nodes.mark import LabMark
from lab.nodes.node import Node


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """One node."""

    name: str
    """Host name."""
    role: str
    """Server or worker."""
    address: str
    """Address on the lab's network."""
    running: bool
    """Whether the machine runs."""
    ready: bool
    """Whether Kubernetes calls it Ready."""
    version: str
    """The kubelet's."""


@dataclass(frozen=True, kw_only=True)
class PodStatus:
    """One pod of the workloads."""

    name: str
    """Its name."""
    node: str
    """Where it runs."""
    phase: str
    """Phase, or Terminating."""
    ready: bool
    """Whether it is Ready."""
    restarts: int
    """Restarts of its containers."""


@dataclass(frozen=True, kw_only=True)
class LabStatus:
    """A lab as it is now."""

    lab: str
    """Its name."""
    distribution: str
    """What the cluster is made of; empty where no node tells."""
    profile: str
    """Name of the timers in force."""
    nodes: tuple[NodeStatus, ...]
    """All nodes, servers first."""
    pods: tuple[PodStatus, ...]
    """The pods of the workloads."""
    frames: tuple[FrameRate, ...]
    """One entry a PDC."""
    problem: str
    """Why the cluster could not be asked; empty where it answered."""

    @property
    def healthy(self) -> bool:
        """Whether every node is Ready, every pod too, and every PDC sends frames."""
        return (
            not self.problem
            and all(node.ready for node in self.nodes)
            and all(pod.ready for pod in self.pods)
            and not_flowing(self.frames) is None
        )


def examine(lab: Lab) -> LabStatus:
    """Ask the nodes, the cluster and the PDCs of `lab` how they are."""
    mark = LabMark.read_any(lab.running_nodes)
    problem = ""
    nodes = []
    pods = []
    if not lab.running:
        problem = "No node runs, as after a reboot of this machine: run `lab up`."
    else:
        try:
            nodes = lab.cluster.list_nodes()
            pods = lab.cluster.list_pods(NAMESPACE)
        except LabError as error:
            problem = str(error)
    in_kubernetes = {node.metadata.name: node for node in nodes}
    return LabStatus(
        lab=lab.name,
        distribution=mark.distribution if mark else "",
        profile=mark.profile if mark else "",
        nodes=tuple(
            _node_status(node, running=node.name in lab.running, in_kubernetes=in_kubernetes)
            for node in lab.nodes
        ),
        pods=tuple(_pod_status(pod) for pod in pods),
        frames=frame_rates(lab.running_nodes),
        problem=problem,
    )


def _node_status(node: Node, *, running: bool, in_kubernetes: Mapping[str, Any]) -> NodeStatus:
    found = in_kubernetes.get(node.name)
    return NodeStatus(
        name=node.name,
        role=node.role,
        address=node.address,
        running=running,
        ready=found is not None and is_ready(found),
        version=found.status.node_info.kubelet_version if found is not None else "",
    )


def _pod_status(pod: Any) -> PodStatus:
    return PodStatus(
        name=pod.metadata.name,
        node=pod.spec.node_name or "",
        phase="Terminating" if pod.metadata.deletion_timestamp else pod.status.phase,
        ready=is_ready(pod),
        restarts=sum(c.restart_count for c in pod.status.container_statuses or []),
    )
