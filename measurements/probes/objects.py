"""From the API's JSON of nodes and pods to the events that a history keeps."""

from collections.abc import Mapping
from typing import Any

from measurements import events

Json = Mapping[str, Any]


def node_seen(node: Json, *, via: str) -> events.NodeSeen:
    """Return what a Node object says about its readiness."""
    ready = _condition(node, "Ready")
    return events.NodeSeen(
        name=node["metadata"]["name"],
        ready=ready.get("status", "Unknown"),
        reason=ready.get("reason", ""),
        via=via,
    )


def pod_seen(pod: Json, *, via: str) -> events.PodSeen:
    """Return what a Pod object says about its course."""
    metadata, status = pod["metadata"], pod.get("status", {})
    containers = status.get("containerStatuses") or []
    wanted = len(pod.get("spec", {}).get("containers", []))
    node = pod.get("spec", {}).get("nodeName", "")
    return events.PodSeen(
        name=metadata["name"],
        uid=metadata["uid"],
        node=node,
        app=(metadata.get("labels") or {}).get("app.kubernetes.io/name", ""),
        phase=status.get("phase", "Unknown"),
        ready=_condition(pod, "Ready").get("status") == "True",
        scheduled=bool(node),
        running=wanted > 0 and sum("running" in c.get("state", {}) for c in containers) == wanted,
        restarts=sum(c.get("restartCount", 0) for c in containers),
        deleting="deletionTimestamp" in metadata,
        via=via,
    )


def _condition(thing: Json, kind: str) -> Json:
    conditions = thing.get("status", {}).get("conditions") or []
    found: Json = next((c for c in conditions if c.get("type") == kind), {})
    return found
