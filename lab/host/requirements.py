"""What a lab takes of this machine: programs, memory, disk, kernel limits."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lab.console.progress import Progress
from lab.host.command import run
from lab.host.packages import Programs
from lab.host.privileges import as_root, authorise

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class DiskSpace:
    """Room on a file system of this machine."""

    path: Path
    """A path on it, which need not exist yet."""
    size: int
    """Bytes."""
    purpose: str
    """What takes them."""


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What one part of a lab takes of this machine."""

    programs: Programs = field(default_factory=dict)
    """Programs and files, with the packages that have them."""
    memory: int = 0
    """Bytes."""
    memory_purpose: str = ""
    """What takes them."""
    disk: tuple[DiskSpace, ...] = ()
    """File systems."""
    sysctls: Mapping[str, int] = field(default_factory=dict)
    """Kernel parameter, such as fs.inotify.max_user_instances, to its least value."""
    root: tuple[str, ...] = ()
    """What root is needed for besides, each an infinitive."""


def shortages(needed: Iterable[Requirements]) -> list[str]:
    """Return a line for each lack of memory or disk; empty where this machine has enough."""
    lines = []
    for part in needed:
        available = psutil.virtual_memory().available
        lines += _shortage("memory", part.memory, available, f"for {part.memory_purpose}")
        for space in part.disk:
            path = next(p for p in (space.path, *space.path.parents) if p.exists())
            where = f"in {path} for {space.purpose}"
            lines += _shortage("disk", space.size, shutil.disk_usage(path).free, where)
    return lines


def raise_sysctls(wanted: Mapping[str, int], progress: Progress) -> None:
    """Raise the kernel parameters that are lower than `wanted`, until the next boot."""
    low = too_low(wanted)
    authorise([f"raise {name} to {wanted[name]}" for name in low])
    for name, present in low.items():
        least = wanted[name]
        progress.note(f"  Raise {name} from {present} to {least} until the next boot")
        # A minimal system has no program sysctl.
        run([*as_root(), "sh", "-c", f"echo {least} >{_file(name)}"], check=False)


def too_low(wanted: Mapping[str, int]) -> dict[str, int]:
    """Return the kernel parameters that are lower than `wanted`, with their values now."""
    present = {name: int(_file(name).read_text()) for name in wanted}
    return {name: value for name, value in present.items() if value < wanted[name]}


def _file(parameter: str) -> Path:
    return Path("/proc/sys") / parameter.replace(".", "/")


def _shortage(what: str, needed: int, available: int, where: str) -> list[str]:
    if available >= needed:
        return []
    return [f"{what}: {available / GIB:.1f} GiB are free {where}, {needed / GIB:.1f} are needed"]
