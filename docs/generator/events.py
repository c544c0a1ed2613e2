"""The page of the events of `history.jsonl`."""

import ast

from docs.generator import markdown, source
from measurements import events

_MODULE = "measurements.events"


def pages() -> dict[str, str]:
    """Return file name -> content, relative to docs/reference."""
    classes = {
        node.name: node for node in source.tree(_MODULE).body if isinstance(node, ast.ClassDef)
    }
    rows = []
    parts = []
    for (origin, event), kind in events.KINDS.items():
        node = classes[kind.__name__]
        heading = f"{origin} {event}"
        rows.append((f"[`{heading}`]({markdown.anchor(heading)})", source.first_line(node)))
        fields = markdown.table(("field", "type", "meaning"), _fields(node, classes))
        parts.append(f"## {heading}\n\n{source.docstring(node)}\n\n{fields or 'No further field.'}")
    return {
        "events.md": markdown.page(
            "Events of a history",
            "A run's `history.jsonl` has one JSON object a line. Each has `t_ns` (monotonic clock "
            "of the control machine, nanoseconds), `wall` (the same moment as UTC, ISO 8601), "
            "`case` (empty between cases), `source` and `event`, and the fields below.",
            markdown.table(("source and event", "meaning"), rows),
            *parts,
        )
    }


def _fields(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[tuple[str, str, str]]:
    """Return the fields of a class, those of its bases first."""
    inherited = [
        row
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in classes
        for row in _fields(classes[base.id], classes)
    ]
    own = [
        (f"`{one.name}`", markdown.code(one.type), one.text)
        for one in source.members(node.body)
        if one.type and not one.type.startswith("ClassVar")
    ]
    return inherited + own
