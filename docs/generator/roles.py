"""The page of the Ansible roles and their variables."""

from pathlib import Path
from typing import Any

import yaml

from docs.generator import markdown
from docs.generator.source import ROOT

_ROLES = ROOT / "playbooks" / "roles"


def pages() -> dict[str, str]:
    """Return file name -> content, relative to docs/reference."""
    files = sorted(_ROLES.glob("*/meta/argument_specs.yml"))
    specs = {file.parents[1].name: _spec(file) for file in files}
    index = markdown.table(
        ("role", "what it does"),
        (
            (f"[`{role}`]({markdown.anchor(role)})", spec.get("short_description", ""))
            for role, spec in specs.items()
        ),
    )
    parts = [
        f"## {role}\n\n"
        + (
            markdown.table(("variable", "type", "default", "meaning"), _rows(spec))
            or "No variable."
        )
        for role, spec in specs.items()
    ]
    return {
        "roles.md": markdown.page(
            "Roles and their variables",
            "The roles of `playbooks/roles/`, as their `meta/argument_specs.yml` declare them. "
            "Ansible checks every value against them before a role's first task.",
            index,
            *parts,
        )
    }


def _spec(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    main: dict[str, Any] = loaded["argument_specs"]["main"]
    return main


def _rows(spec: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            f"`{name}`" + (" (required)" if option.get("required") else ""),
            option["type"] + (f" of {option['elements']}" if "elements" in option else ""),
            _default(option),
            _text(option.get("description", "")),
        )
        for name, option in (spec.get("options") or {}).items()
    ]


def _default(option: dict[str, Any]) -> str:
    if "default" not in option:
        return ""
    value = option["default"]
    if isinstance(value, str):
        return markdown.code(value or '""')
    dumped = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return markdown.code(dumped.removesuffix("\n").removesuffix("\n..."))


def _text(description: str | list[str]) -> str:
    return description if isinstance(description, str) else " ".join(description)
