"""Histories of format 1 (releases before 0.3), read as those of format 2.

Format 1 told by the case's field `node` what since format 2 the fault itself says:
whether it lasts, and which node it breaks. Format 1 knew three faults.
"""

from collections.abc import Mapping
from typing import Any


def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a line of a history with the fields of format 2; a line of format 2 as it is."""
    match values.get("source"), values.get("event"):
        case "harness", "case_start" if "node" in values:
            return {**values, "published": _published(values)}
        case "fault", _ if "lasts" not in values:
            isolated = values.get("fault") == "isolate"
            return {
                **values,
                "lasts": isolated,
                "breaks_node": values.get("target") if isolated else None,
            }
        case _:
            return values


def _published(case: Mapping[str, Any]) -> str | None:
    """Return the published value that format 1 chose by node and kind of recovery."""
    if case["node"]:
        return "node_isolated"
    return "container_restart" if case.get("recovery") == "restart" else None
