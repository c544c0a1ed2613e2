"""`lab status`: the nodes, the pods, and the frames that a consumer outside the cluster sees."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from grid.c37118 import DataError
from grid.transport import client
from lab.cluster.api import NAMESPACE, is_ready
from lab.cluster.find import Lab
from lab.cluster.outlets import FRAME_RATE, OUTLETS, Outlet
from lab.console.errors import LabError
from lab.nodes.lab_file import LabFile
from lab.nodes.node import Node

MEASURE_S = 2.0
"""How long frames are counted."""


@dataclass(frozen=True, kw_only=True)
class FrameRate:
    """What a consumer sees of one PDC."""

    name: str
    """The PDC."""
    frames_per_s: float
    """Data frames with data of every PMU, over MEASURE_S."""
    address: str
    """Where it was asked."""
    problem: str
    """Why there are none; empty where frames flow."""


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
class Status:
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


def status(lab: Lab) -> Status:
    """Ask the nodes, the cluster and the PDCs of `lab` how they are."""
    file = LabFile.read_any([node for node in lab.nodes if node.name in lab.running])
    problem = ""
    nodes = []
    pods = []
    try:
        nodes = lab.cluster.list_nodes()
        pods = lab.cluster.list_pods(NAMESPACE)
    except LabError as error:
        problem = str(error)
    seen = {node.metadata.name: node for node in nodes}
    return Status(
        lab=lab.name,
        distribution=file.distribution if file else "",
        profile=file.profile if file else "",
        nodes=tuple(
            NodeStatus(
                name=node.name,
                role=node.role,
                address=node.address,
                running=node.name in lab.running,
                ready=node.name in seen and is_ready(seen[node.name]),
                version=seen[node.name].status.node_info.kubelet_version
                if node.name in seen
                else "",
            )
            for node in lab.nodes
        ),
        pods=tuple(
            PodStatus(
                name=pod.metadata.name,
                node=pod.spec.node_name or "",
                phase="Terminating" if pod.metadata.deletion_timestamp else pod.status.phase,
                ready=is_ready(pod),
                restarts=sum(c.restart_count for c in pod.status.container_statuses or []),
            )
            for pod in pods
        ),
        frames=frame_rates([node for node in lab.nodes if node.name in lab.running]),
        problem=problem,
    )


def frame_rates(nodes: Sequence[Node]) -> tuple[FrameRate, ...]:
    """Count the frames of every PDC at once, for MEASURE_S seconds."""
    with ThreadPoolExecutor(len(OUTLETS)) as pool:
        return tuple(pool.map(lambda outlet: _frame_rate(outlet, nodes), OUTLETS))


def not_flowing(rates: Sequence[FrameRate]) -> str | None:
    """Say which PDC sends too little, or None where all frames flow."""
    for rate in rates:
        # A frame more or less falls into a window of this length.
        if rate.frames_per_s * MEASURE_S < FRAME_RATE * MEASURE_S - 2:
            why = rate.problem or f"{rate.frames_per_s:.1f} of {FRAME_RATE} frames/s with all data"
            return f"{rate.name}: {why}"
    return None


def _frame_rate(outlet: Outlet, nodes: Sequence[Node]) -> FrameRate:
    """Count at the first node whose port answers with frames."""
    tried = FrameRate(name=outlet.name, frames_per_s=0.0, address="", problem="no node runs")
    for node in nodes:
        tried = _count(outlet, node)
        if tried.frames_per_s:
            break
    return tried


def _count(outlet: Outlet, node: Node) -> FrameRate:
    """Count over MEASURE_S, which begins with the first frame."""
    stop = threading.Event()
    whole = 0
    first_ns = 0
    problem = ""
    for event in client.receive(node.address, outlet.port, idcode=outlet.idcode, stop=stop):
        if isinstance(event, client.Disconnected):
            problem = event.why
        elif isinstance(event, client.Frame):
            first_ns = first_ns or event.t_ns
            if event.t_ns - first_ns >= MEASURE_S * 1e9:
                stop.set()
            elif all(pmu.stat.data_error is DataError.GOOD for pmu in event.data.pmus):
                whole += 1
    return FrameRate(
        name=outlet.name,
        frames_per_s=round(whole / MEASURE_S, 1),
        address=f"{node.address}:{outlet.port}",
        problem="" if whole else problem,
    )
