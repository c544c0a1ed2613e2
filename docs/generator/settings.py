"""The pages of the settings and of the timer profiles."""

import re
from typing import Any, get_args, get_origin

import yaml

from docs.generator import markdown
from docs.generator.source import ROOT
from lab.config.settings import Settings

_REFERENCE = ROOT / "inventories" / "embedded" / "group_vars" / "all.yml"
_PROFILES = ROOT / "playbooks" / "vars" / "profiles.yml"


def pages() -> dict[str, str]:
    """Return file name -> content, relative to docs/reference."""
    return {"settings.md": _settings(), "timer-profiles.md": _profiles()}


def _settings() -> str:
    texts = _comments(_REFERENCE.read_text(encoding="utf-8"))
    rows = [
        (f"`{name}`", _shown(field.default), _values(field.annotation), texts.get(name, ""))
        for name, field in Settings.model_fields.items()
    ]
    return markdown.page(
        "Settings of a lab",
        "An inventory's `group_vars/all.yml` sets them, and `--set KEY=VALUE` of `lab up` and "
        "`lab preflight` for one run. An unknown key is refused. "
        "`inventories/embedded/group_vars/all.yml` holds all of them with their defaults.",
        markdown.table(("setting", "default", "values", "meaning"), rows),
    )


def _comments(text: str) -> dict[str, str]:
    """Return key -> the comment above it; keys without a comment share the one before."""
    found: dict[str, str] = {}
    comment: list[str] = []
    fresh = True
    for line in text.splitlines():
        if line.startswith("#"):
            if fresh:
                comment, fresh = [], False
            comment.append(line.lstrip("# "))
        elif key := re.match(r"(\w+):", line):
            found[key[1]] = " ".join(comment)
            fresh = True
        elif not line.strip():
            comment, fresh = [], True
    return found


def _shown(default: Any) -> str:
    return markdown.code(yaml.safe_dump(default).removesuffix("...\n").strip()) if default else ""


def _values(annotation: Any) -> str:
    choices = [str(one) for one in get_args(annotation) if not isinstance(one, type)]
    if choices and get_origin(annotation) is not None:
        return ", ".join(f"`{one}`" for one in choices)
    return {str: "text", int: "number", bool: "`true`, `false`"}.get(annotation, "")


def _profiles() -> str:
    text = _PROFILES.read_text(encoding="utf-8")
    profiles: dict[str, dict[str, Any]] = yaml.safe_load(text)["lab_profiles"]
    knobs = _knobs(text)
    head = ("knob", "unit", *(f"`{name}`" for name in profiles), "what it sets")
    rows = [
        (f"`{knob}`", unit, *(str(values[knob]) for values in profiles.values()), what)
        for knob, (unit, what) in knobs.items()
    ]
    return markdown.page(
        "Timer profiles",
        "Every timer that decides how fast a cluster reacts to a lost node, as "
        "`playbooks/vars/profiles.yml` sets it. `lab_profile` chooses one. "
        "[Timers](../explanation/timers.md) says how they work together.",
        markdown.table(head, rows),
    )


def _knobs(text: str) -> dict[str, tuple[str, str]]:
    """Return knob -> (unit, what it sets), from the head of the file."""
    knobs: dict[str, tuple[str, str]] = {}
    last = ""
    started = False
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line.removeprefix("#").strip()
        if re.match(r"knob\s+unit\s", words):
            started = True
        elif started and (found := re.match(r"(\w+)\s{2,}(\S+)\s{2,}(.*)", words)):
            last = found[1]
            knobs[last] = (found[2], found[3])
        elif started and last:
            unit, what = knobs[last]
            knobs[last] = (unit, f"{what} {words}")
    return knobs
