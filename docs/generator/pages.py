"""All generated pages, and which of docs/reference are such."""

from docs.generator import commands, events, markdown, metrics, python, roles, settings
from docs.generator.source import ROOT

REFERENCE = ROOT / "docs" / "reference"
"""Where the pages are written."""


def pages() -> dict[str, str]:
    """Return file name -> content of every generated page, relative to docs/reference."""
    return {
        name: text
        for kind in (settings, roles, commands, events, metrics, python)
        for name, text in kind.pages().items()
    }


def generated() -> set[str]:
    """Return the names of the pages that say that they are generated."""
    return {
        str(path.relative_to(REFERENCE))
        for path in REFERENCE.rglob("*.md")
        if path.read_text(encoding="utf-8").startswith(markdown.NOTICE)
    }
