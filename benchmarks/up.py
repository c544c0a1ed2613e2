"""`make bench-up`: how long `lab up` takes, and what an idle lab uses, beside the targets."""

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab.cluster.admin import KUBECTL
from lab.cluster.api import NAMESPACE
from lab.cluster.lab import find
from lab.commands.life.down import remove
from lab.commands.life.up import bring_up
from lab.commands.options import EMBEDDED
from lab.config import inventory
from lab.console.progress import Terminal
from lab.nodes.mark import LabMark
from lab.providers.container import usage

TARGETS_S = {"cold": 1200, "warm kubeadm": 180, "warm k3s": 120, "running": 30}
"""Seconds to frames at the consumer: empty cache, filled cache, lab already up."""
TARGET_CPU_PERCENT = {"server": 15.0, "worker": 5.0}
"""Percent of one core, idle."""
TARGET_MEMORY_MIB = 4096.0
SETTLE_S = 60
SPAN_S = 60


def main(
    cold: Annotated[bool, typer.Option(help="Begin with an empty cache, Go's own too.")] = False,
    name: Annotated[str, typer.Option(help="Name of the bench's own lab.")] = "bench",
    distribution: Annotated[str, typer.Option(help="auto, k3s or kubeadm.")] = "auto",
) -> None:
    """Time the ups of a lab of the bench's own, watch it idle, and remove it."""
    progress = Terminal()
    wanted = inventory.load(EMBEDDED, {"lab_name": name, "lab_distribution": distribution})
    rows: list[tuple[str, float, float]] = []
    try:
        if cold:
            with tempfile.TemporaryDirectory(prefix="blackstart-bench-") as empty:
                for variable in ("BLACKSTART_CACHE", "GOCACHE", "GOMODCACHE"):
                    os.environ[variable] = str(Path(empty) / variable.lower())
                os.environ["GOFLAGS"] = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()
                rows.append(
                    ("first up, empty cache", bring_up(wanted, progress).seconds, TARGETS_S["cold"])
                )
                remove(name, progress)
                kind = _warm(wanted, progress, rows)
        else:
            kind = _warm(wanted, progress, rows)
        loads = {"with workloads": _watch(name, progress)}
        _remove_workloads(name)
        loads["alone"] = _watch(name, progress)
    finally:
        remove(name, progress)
    _show(kind, rows, loads)


def _warm(
    wanted: inventory.Inventory, progress: Terminal, rows: list[tuple[str, float, float]]
) -> str:
    """Time an up with the cache filled, and one more on the running lab."""
    seconds = bring_up(wanted, progress).seconds
    file = LabMark.read_any(find(wanted.settings.lab_name).nodes)
    kind = file.distribution if file else "unknown"
    rows.append((f"up, cache filled, {kind}", seconds, TARGETS_S[f"warm {kind}"]))
    rows.append(("up on a running lab", bring_up(wanted, progress).seconds, TARGETS_S["running"]))
    return kind


def _watch(name: str, progress: Terminal) -> list[usage.NodeUsage]:
    progress.note(f"  Let the lab settle for {SETTLE_S} s, then watch it for {SPAN_S} s")
    time.sleep(SETTLE_S)
    return usage.measure(name, SPAN_S)


def _remove_workloads(name: str) -> None:
    """Leave the nodes with Kubernetes alone; the lab is removed after the bench."""
    server = find(name).nodes[0]
    server.run([*KUBECTL, "delete", "deployment", "--all", "-n", NAMESPACE], timeout_s=120)


def _show(
    kind: str, rows: list[tuple[str, float, float]], loads: Mapping[str, list[usage.NodeUsage]]
) -> None:
    table = Table("What", "Measured", "Target", "Ratio", title=f"lab up with {kind}")
    for what, seconds, target in rows:
        table.add_row(what, f"{seconds:.1f} s", f"{target:.0f} s", f"{seconds / target:.2f}")
    for state, nodes in loads.items():
        for node in nodes:
            target = TARGET_CPU_PERCENT[node.role]
            table.add_row(
                f"{node.name} {state}: CPU of one core",
                f"{node.cpu_percent} %",
                f"{target} %",
                f"{node.cpu_percent / target:.2f}",
            )
        memory = sum(node.memory_mib for node in nodes)
        table.add_row(
            f"memory of all nodes {state}",
            f"{memory:.0f} MiB",
            f"{TARGET_MEMORY_MIB:.0f} MiB",
            f"{memory / TARGET_MEMORY_MIB:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
