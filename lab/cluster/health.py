"""The health of a lab: its nodes, its pods, and the frames outside the cluster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lab.cluster.api import internal_address, is_ready, is_replaced
from lab.cluster.frames import FrameRate, not_flowing
from lab.cluster.lab import Lab
from lab.cluster.survey import Survey, etcd_members, survey
from lab.nodes.node import Node, Role

NodeState = Literal["Ready", "NotReady", "not in the cluster", "unknown", "stopped", "gone"]
"""`unknown` is what runs while no API server answers."""
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""The label of a server's Node object."""


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """One node."""

    name: str
    """Host name."""
    role: str
    """Server or worker."""
    address: str
    """Address on the lab's network; empty where nobody knows it."""
    state: NodeState
    """In one word: a machine that does not run is stopped, whatever Kubernetes says."""
    running: bool
    """Whether the machine runs."""
    ready: bool
    """Whether it runs, and Kubernetes calls it Ready."""
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
    """All nodes, servers first; those that are gone come last."""
    missing: tuple[str, ...]
    """Names of nodes that the lab should have and that no machine is."""
    pods: tuple[PodStatus, ...]
    """The pods of the workloads, without those that have failed and were replaced."""
    frames: tuple[FrameRate, ...]
    """One entry a PDC."""
    problem: str
    """What is wrong with machines and cluster, a sentence a line; empty where nothing is."""

    @property
    def document(self) -> dict[str, Any]:
        """All of it and the verdict, as `lab status --json` prints it."""
        return {**asdict(self), "healthy": self.healthy}

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
    """Ask the nodes, the cluster and the PDCs of `lab` how they are.

    Whatever they answer, or don't, is part of the status: nothing of it is raised.
    """
    found = survey(lab)
    expected = _expected(lab, found)
    missing = tuple(name for name in expected if name not in {node.name for node in lab.nodes})
    return LabStatus(
        lab=lab.name,
        distribution=found.mark.distribution if found.mark else "",
        profile=found.mark.profile if found.mark else "",
        nodes=(
            *(_node_status(node, lab, found) for node in lab.nodes),
            *(_gone(name, expected[name], found.nodes.get(name)) for name in missing),
        ),
        missing=missing,
        pods=tuple(_pod_status(pod) for pod in found.pods if not is_replaced(pod)),
        frames=found.frames,
        problem="\n".join(_problems(lab, found, missing, expected)),
    )


def _expected(lab: Lab, found: Survey) -> dict[str, Role]:
    """Return the hosts that the lab should have, name to role.

    A node's mark tells them, or this machine's own notes where none runs; a Node object
    that no machine has is one besides.
    """
    hosts: dict[str, Role] = {}
    for name, role in (found.mark.hosts if found.mark else lab.state.hosts()).items():
        hosts[name] = "server" if role == "server" else "worker"
    for name, node in found.nodes.items():
        labels = node.metadata.labels or {}
        hosts.setdefault(name, "server" if CONTROL_PLANE in labels else "worker")
    return hosts


def _node_status(node: Node, lab: Lab, found: Survey) -> NodeStatus:
    known = found.nodes.get(node.name)
    running = node.name in lab.running
    ready = running and known is not None and is_ready(known)
    if not running:
        state: NodeState = "stopped"  # whatever Kubernetes still says of it
    elif known is None:
        state = "not in the cluster" if found.answered else "unknown"
    else:
        state = "Ready" if ready else "NotReady"
    return NodeStatus(
        name=node.name,
        role=node.role,
        address=node.address,
        state=state,
        running=running,
        ready=ready,
        version=known.status.node_info.kubelet_version if known is not None else "",
    )


def _gone(name: str, role: Role, known: Any) -> NodeStatus:
    return NodeStatus(
        name=name,
        role=role,
        address=internal_address(known) if known is not None else "",
        state="gone",
        running=False,
        ready=False,
        version=known.status.node_info.kubelet_version if known is not None else "",
    )


def _problems(
    lab: Lab, found: Survey, missing: Sequence[str], expected: Mapping[str, Role]
) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with the machines and the cluster."""
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        yield (
            f"{', '.join(missing)} {verb} gone: no machine of the lab has that name any more. "
            "`lab up` makes what is missing again, or says what it needs for that."
        )
    if not lab.running:
        yield "No node runs, as after a reboot of this machine: run `lab up`."
        return
    if stopped := [node.name for node in lab.nodes if node.name not in lab.running]:
        yield f"{_do(stopped)} not run: run `lab up`."
    for name, reason in found.unreachable.items():
        yield f"{name} runs, but does not answer to SSH: {reason.rstrip('.')}."
    if found.unreachable and not lab.state.ssh.key.exists():
        yield (
            f"The lab's files on this machine are lost ({lab.state.directory}): run `lab up`, "
            "which makes them again."
        )
    reasons = "".join(f"\n  {name}: {reason}" for name, reason in found.api_problems.items())
    if found.answered and reasons:
        yield f"Not every server's API answers:{reasons}"
    elif not _running_servers(lab):
        yield "No server runs, so that Kubernetes can't tell of nodes and pods."
    elif not found.kubeconfig:
        if any(node.name not in found.unreachable for node in _running_servers(lab)):
            yield "No server has a kubeconfig: the cluster is not built to its end. Run `lab up`."
    elif not found.answered:
        yield f"No API server answers, so that Kubernetes can't tell of nodes and pods.{reasons}"
        servers = [name for name, role in expected.items() if role == "server"]
        yield from _etcd_problem(lab, max(len(servers), len(lab.cluster.servers)))


def _etcd_problem(lab: Lab, servers: int) -> Iterator[str]:
    """Yield one sentence where the cluster's database is why no API server answers."""
    members = etcd_members(lab)
    majority = servers // 2 + 1
    if len(members) < majority:
        yield (
            f"etcd has no majority: {len(members)} of {servers} servers "
            f"{'has' if len(members) == 1 else 'have'} a member that runs, and {majority} are "
            f"needed. `lab logs NODE` shows a server's journal; then run `lab up`."
        )
    elif not any(member.has_leader for member in members):
        yield f"etcd has no leader, though {len(members)} of {servers} members run."


def _running_servers(lab: Lab) -> list[Node]:
    return [node for node in lab.cluster.servers if node.name in lab.running]


def _do(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'does' if len(names) == 1 else 'do'}"


def _pod_status(pod: Any) -> PodStatus:
    return PodStatus(
        name=pod.metadata.name,
        node=pod.spec.node_name or "",
        phase="Terminating" if pod.metadata.deletion_timestamp else pod.status.phase,
        ready=is_ready(pod),
        restarts=sum(c.restart_count for c in pod.status.container_statuses or []),
    )
