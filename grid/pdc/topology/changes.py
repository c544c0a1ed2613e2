"""The differences between two topologies, as lines of text."""

from collections.abc import Iterator
from typing import Any

from grid.pdc.topology import document
from grid.pdc.topology.model import Topology


def changes(before: Topology | None, after: Topology) -> list[str]:
    """Return one line for each thing that is added (+), removed (-) or other (~)."""
    old = document.to_document(before) if before else {"stream": {}, "inputs": []}
    new = document.to_document(after)
    lines = [
        line
        for key in new
        if key not in ("node", "inputs")
        for line in _fields(key, old.get(key), new[key])
    ]
    lines += _listed("input", old["inputs"], new["inputs"])
    return lines


def _fields(where: str, old: Any, new: Any) -> Iterator[str]:
    """Yield what differs in the fields of one thing."""
    old, new = old or {}, new or {}
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before == after or key == "pmus":
            continue
        if before is None:
            yield f"+ {where}: {key} {_text(after)}"
        elif after is None:
            yield f"- {where}: {key} {_text(before)}"
        else:
            yield f"~ {where}: {key} {_text(before)} -> {_text(after)}"


def _listed(kind: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what differs between two lists of things with names."""
    before = {entry["name"]: entry for entry in old}
    after = {entry["name"]: entry for entry in new}
    for name in before:
        if name not in after:
            yield f"- {kind} {name}"
    for name, entry in after.items():
        if name not in before:
            members = [pmu["name"] for pmu in entry.get("pmus", [])]
            yield f"+ {kind} {name}" + (f" with PMUs {', '.join(members)}" if members else "")
            continue
        yield from _fields(f"{kind} {name}", before[name], entry)
        yield from _listed(
            f"{kind} {name}: PMU", before[name].get("pmus", []), entry.get("pmus", [])
        )
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        yield f"~ order of {kind}s: {', '.join(after)}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} {_text(entry)}" for key, entry in value.items()) + "}"
    return str(value)
