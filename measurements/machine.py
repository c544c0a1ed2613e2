"""The machine that a run was measured on, and the kit's own version."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from measurements import events


def describe() -> dict[str, Any]:
    """Return what a reader needs to compare figures of two machines.

    The machine's name, addresses and users are left out: a report may be published.
    """
    release = _os_release()
    return {
        "cpu_model": _cpu_model(),
        "cpu_cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "os": release.get("PRETTY_NAME", platform.system()),
        "cgroup_version": 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1,
        "virtualisation": _virtualisation(),
    }


def load() -> events.Load:
    """Return how busy the machine is now."""
    return events.Load(one_minute=round(os.getloadavg()[0], 2), cores=len(os.sched_getaffinity(0)))


def versions() -> dict[str, str]:
    """Return the kit's version, its commit where it runs from a checkout, and Python's."""
    found = {"blackstart": _kit_version(), "python": platform.python_version()}
    root = Path(__file__).parents[1]
    if (root / ".git").exists():
        commit = _output(["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"])
        changes = _output(["git", "-C", str(root), "status", "--porcelain"])
        if commit:
            found["commit"] = commit + (" with uncommitted changes" if changes else "")
    return found


def _kit_version() -> str:
    try:
        return metadata.version("blackstart")
    except metadata.PackageNotFoundError:
        return "unknown"


def _cpu_model() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "Hardware"}:
            return value.strip()
    return platform.processor() or platform.machine()


def _virtualisation() -> str:
    """Return what systemd-detect-virt says; without it, what the processor and files tell."""
    told = _output(["systemd-detect-virt"])
    if told:
        return told
    if Path("/.dockerenv").exists():
        return "container"
    flags = next((line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("flags")), "")
    return "virtual machine" if "hypervisor" in flags.split() else "none found"


def _os_release() -> dict[str, str]:
    pairs = [line.partition("=") for line in _lines(Path("/etc/os-release"))]
    return {name: value.strip('"') for name, _, value in pairs}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _output(argv: list[str]) -> str:
    """Return what a command prints; nothing where it is missing or takes over 10 s."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=10,
            check=False,
            # Without GIT_DIR and the like, which a hook or an editor may have set.
            env={name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
