"""The check that keeps faults off every cluster but the lab's own."""

import json
from collections.abc import Sequence

from lab.console.errors import LabError
from lab.nodes import lab_file
from lab.nodes.node import Node


def require_own(nodes: Sequence[Node], lab_name: str) -> None:
    """Raise LabError unless each of `nodes` carries the mark of the lab `lab_name`."""
    if not nodes:
        raise LabError("A fault without a node can't tell whose cluster it hits.")
    for node in nodes:
        found = node.run(["cat", lab_file.PATH], timeout_s=15, check=False)
        owner = _owner(found.stdout) if found.returncode == 0 else None
        if owner == lab_name:
            continue
        what = f"belongs to the lab {owner!r}" if owner else f"has no valid {lab_file.PATH}"
        raise LabError(
            f"{node.name} ({node.address}) {what}: faults run only on nodes that the kit "
            f"built for the lab {lab_name!r}.",
            f"Build that lab with `lab up --name {lab_name}`, or name the lab that is meant.",
            evidence=found.stderr,
        )


def _owner(mark: str) -> str | None:
    try:
        owner = json.loads(mark).get("lab_name")
    except (ValueError, AttributeError):
        return None
    return owner if isinstance(owner, str) else None
