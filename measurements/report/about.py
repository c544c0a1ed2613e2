"""What run.json says about a run, as the report prints it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from measurements import published, run_directory


def load(rundir: Path) -> dict[str, Any]:
    """Return run.json; a run without one, or with a broken one, has empty parts."""
    empty: dict[str, Any] = {
        part: {} for part in ("machine", "versions", "profile", "lab", "measuring")
    }
    return {"name": rundir.resolve().name, "started": ""} | empty | run_directory.read_about(rundir)


def headline(about: Mapping[str, Any]) -> list[str]:
    """Return what identifies the run: name and time, profile, Kubernetes."""
    started = about["started"].replace("T", " ").replace("Z", " UTC")
    parts = [", ".join(part for part in (about["name"], started) if part)]
    if "name" in about["profile"]:
        parts.append(f"timer profile {about['profile']['name']}")
    if "kubernetes" in about["versions"]:
        parts.append(f"Kubernetes {about['versions']['kubernetes']}")
    return parts


def machines(machine: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield label, this run's machine, and each of the thesis' machines."""
    labels = {
        "Machine": ("virtualisation", "machine"),
        "Processor": ("cpu_model", "cpu"),
        "Cores": ("cpu_cores", "cores"),
        "Memory": ("memory_gib", "memory_gb"),
        "Operating system": ("os", "os"),
        "Kernel": ("kernel", "kernel"),
        "Architecture": ("architecture", ""),
        "Control groups": ("cgroup_version", ""),
    }
    units = {"memory_gib": "{} GiB", "cgroup_version": "version {}"}
    for label, (ours, theirs) in labels.items():
        own = units.get(ours, "{}").format(machine[ours]) if ours in machine else "not recorded"
        others = []
        for name, values in published.usai2021()["machines"].items():
            value = values[theirs] if theirs else name
            if isinstance(value, list):
                value = "/".join(map(str, value)) + " GB"
            others.append("not said" if label == "Control groups" else str(value))
        yield (label, own, *others)


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting with its value, those of inner tables as `outer.inner`."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield f"{prefix}{name}", ", ".join(_item(item) for item in value)
        else:
            yield f"{prefix}{name}", "" if value is None else str(value)


def _item(value: object) -> str:
    """Return an item of a list; one that is a list itself is an address."""
    return ":".join(map(str, value)) if isinstance(value, list) else str(value)
