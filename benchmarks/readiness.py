"""When nodes became Ready, as Kubernetes wrote it down, to the second."""

from typing import Any

from lab.cluster.api import Cluster, is_ready, ready_changed_at
from lab.console.errors import LabError


def ready_after(cluster: Cluster, began: float) -> dict[str, float]:
    """Return the seconds from `began` (of the epoch) until each node was Ready, by its name.

    LabError where one is not.
    """
    return {node.metadata.name: _ready_at(node) - began for node in cluster.list_nodes()}


def _ready_at(node: Any) -> float:
    if not is_ready(node):
        raise LabError(f"The node {node.metadata.name} is not Ready.", "Run the bench again.")
    return float(ready_changed_at(node).timestamp())
