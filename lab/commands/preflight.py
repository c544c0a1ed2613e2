"""What this machine must offer before a lab is made on it; every lack is told at once."""

import shutil
from pathlib import Path

import psutil

from lab.artefacts import Cache
from lab.bundle import choose_distribution
from lab.config.inventory import Inventory
from lab.config.profiles import load
from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.host import packages
from lab.host.command import run
from lab.host.packages import as_root
from lab.providers.container import engine

GIB = 1 << 30
MEMORY_PER_NODE = 1 * GIB
"""What a node with its share of the workloads needs at most, idle."""
DISK_PER_NODE = 2 * GIB
DISK_FOR_CACHE = 8 * GIB
"""The artefact cache and what the builds leave, where it is empty."""
INOTIFY = {"max_user_instances": 1024, "max_user_watches": 262144}
"""All nodes share the machine's limits; a kubelet that runs out of them fails late."""


def check(inventory: Inventory, *, existing: int, cache: Path, engine_root: Path) -> None:
    """Raise LabError that lists everything this machine lacks for the lab.

    `existing` is the number of its nodes that are there already, `cache` the artefact
    cache and `engine_root` the Docker engine's data directory.
    """
    load(inventory.settings.lab_profile)
    missing = len(inventory.hosts) - existing
    problems = [
        *_memory(missing),
        *_disk(engine_root, missing * DISK_PER_NODE, "the nodes"),
        *_disk(cache, 0 if _filled(cache) else DISK_FOR_CACHE, "the artefact cache"),
    ]
    if problems:
        raise LabError(
            "This machine can't hold the lab:\n" + "\n".join(f"  {line}" for line in problems),
            "Free what is named, or take fewer workers in the inventory.",
        )


def report(inventory: Inventory) -> list[str]:
    """Return what `lab up` would find lacking, line by line; nothing is changed."""
    lines = [f"settings of {inventory.directory}: taken"]
    wanted = packages.missing(packages.NEEDED)
    lines.append(
        f"system packages: {' '.join(wanted)} would be installed"
        if wanted
        else "system packages: all there"
    )
    cache = Cache()
    root = Path("/var/lib/docker")
    try:
        root = Path(engine.connect().info()["DockerRootDir"])
        lines.append("Docker engine: answers")
    except LabError as error:
        lines.append(f"Docker engine: {error.message} {error.cure}")
    check(inventory, existing=0, cache=cache.root, engine_root=root)
    lines.append("memory and disk: enough")
    choice = choose_distribution(inventory.settings.lab_distribution, cache, inventory.settings)
    lines.append(f"distribution: {choice.distribution}: {choice.reason}")
    return lines


def raise_limits(progress: Progress) -> None:
    """Raise the inotify limits where they are too low for several kubelets on one kernel."""
    for name, wanted in INOTIFY.items():
        file = Path("/proc/sys/fs/inotify") / name
        present = int(file.read_text())
        if present < wanted:
            progress.note(
                f"  Raise fs.inotify.{name} from {present} to {wanted} until the next boot"
            )
            run([*as_root(), "sysctl", "-q", f"fs.inotify.{name}={wanted}"], check=False)


def _memory(nodes: int) -> list[str]:
    needed = nodes * MEMORY_PER_NODE
    available = psutil.virtual_memory().available
    return _lack("memory", needed, available, f"for {nodes} nodes")


def _disk(path: Path, needed: int, purpose: str) -> list[str]:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return _lack("disk", needed, shutil.disk_usage(existing).free, f"in {existing} for {purpose}")


def _lack(what: str, needed: int, available: int, where: str) -> list[str]:
    if available >= needed:
        return []
    return [f"{what}: {available / GIB:.1f} GiB are free {where}, {needed / GIB:.1f} are needed"]


def _filled(cache: Path) -> bool:
    return cache.is_dir() and any(cache.iterdir())
