"""The workloads' pods, as a case needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cluster.api import NAMESPACE, Cluster, is_ready, is_replaced

APPS = ("mysql", "pdc-higher", "pdc-lower", "pmu-1", "pmu-2", "pmu-3")
"""Values of the label app.kubernetes.io/name; one pod each."""


@dataclass(frozen=True, kw_only=True)
class WorkloadPod:
    """One pod of the workloads."""

    app: str
    """Value of its label app.kubernetes.io/name."""
    name: str
    """Its name."""
    uid: str
    """Its identity, which no other pod ever has."""
    node: str
    """The node that it is bound to; empty before that."""
    ready: bool
    """Whether it has the condition Ready, and is not being deleted."""
    deleting: bool
    """Whether its deletion was asked for."""
    restarts: int
    """How often its container was started again."""
    container_id: str
    """The runtime's name of its container; empty before the first start."""


def of(cluster: Cluster) -> list[WorkloadPod]:
    """Return all pods of the workloads, those that are on their way out included."""
    return [_pod(pod) for pod in cluster.list_pods(NAMESPACE) if not is_replaced(pod)]


def by_app(found: list[WorkloadPod]) -> Mapping[str, WorkloadPod]:
    """Return the pod of each workload that stays."""
    return {pod.app: pod for pod in found if not pod.deleting}


def missing(found: list[WorkloadPod]) -> str | None:
    """Say what keeps the workloads from being whole, or None where nothing does."""
    if leaving := [pod.name for pod in found if pod.deleting]:
        return f"{', '.join(leaving)} must be gone"
    there = by_app(found)
    if absent := [app for app in APPS if app not in there]:
        return f"no pod of {', '.join(absent)}"
    if unready := [pod.name for pod in there.values() if not pod.ready]:
        return f"{', '.join(unready)} must be ready"
    return None


def _pod(pod: Any) -> WorkloadPod:
    containers = pod.status.container_statuses or []
    deleting = pod.metadata.deletion_timestamp is not None
    return WorkloadPod(
        app=(pod.metadata.labels or {}).get("app.kubernetes.io/name", ""),
        name=pod.metadata.name,
        uid=pod.metadata.uid,
        node=pod.spec.node_name or "",
        ready=is_ready(pod) and not deleting,
        deleting=deleting,
        restarts=sum(status.restart_count for status in containers),
        container_id=(containers[0].container_id or "") if containers else "",
    )
