"""`make bench-up`: how long a lab takes to come, to come back and to change, step by step.

What an idle lab uses stands beside it, and beside all of it the targets.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command
from benchmarks.readiness import ready_after
from benchmarks.steps import StepTimes
from lab.cluster.admin import KUBECTL
from lab.cluster.api import NAMESPACE
from lab.cluster.lab import find
from lab.commands.life.booting import await_frames, boot
from lab.commands.life.down import remove
from lab.commands.life.up import UpResult, bring_up
from lab.commands.options import EMBEDDED
from lab.config import inventory
from lab.config.inventory import Inventory
from lab.nodes.mark import LabMark
from lab.providers.container import usage

READY, FRAMES, AGAIN = "up: all nodes Ready", "up: frames", "up on a running lab"
COLD, RETURN, PROFILE = "first up, empty cache: frames", "stop and start: frames", "other timers"
TARGETS_S: Mapping[str, Mapping[str, float]] = {
    "k3s": {COLD: 1200, READY: 45, FRAMES: 60, AGAIN: 12, RETURN: 60, PROFILE: 45},
    "kubeadm": {COLD: 1200, READY: 60, FRAMES: 75, AGAIN: 12, RETURN: 60, PROFILE: 60},
}
"""Seconds on two cores, with the cache filled but for the first."""
TARGET_CPU_PERCENT = {"server": 15.0, "worker": 5.0}
"""Percent of one core, idle."""
TARGET_MEMORY_MIB = 4096.0
FIRST_PROFILE = "fast"
"""Timers before they change to the default's, under which the lab is watched."""
LEAST_S = 1.0
"""Steps and tasks that took less are left out."""
SETTLE_S = 60
SPAN_S = 60


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One thing that was timed."""

    what: str
    """One of the names of TARGETS_S."""
    seconds: float
    """How long it took."""
    steps: Sequence[tuple[str, float]] = ()
    """What it consisted of, with seconds."""


def main(
    cold: Annotated[bool, typer.Option(help="Begin with an empty cache, Go's own too.")] = False,
    name: Annotated[str, typer.Option(help="Name of the bench's own lab.")] = "bench",
    distribution: Annotated[str, typer.Option(help="auto, k3s or kubeadm.")] = "auto",
    idle: Annotated[bool, typer.Option(help="Watch the idle lab, too.")] = True,
) -> None:
    """Time the ups of a lab of the bench's own, watch it idle, and remove it."""
    progress = StepTimes()
    with _empty_cache() if cold else contextlib.nullcontext():
        try:
            done = [*_ups(name, distribution, progress, cold=cold)]
            mark = LabMark.read_any(find(name).nodes)
            loads = dict(_loads(name, progress)) if idle else {}
        finally:
            remove(name, progress)
    _show(mark.distribution if mark else "kubeadm", done, loads)


def _wanted(name: str, distribution: str, **settings: str) -> Inventory:
    return inventory.load(
        EMBEDDED, {"lab_name": name, "lab_distribution": distribution, **settings}
    )


@contextlib.contextmanager
def _empty_cache() -> Iterator[None]:
    """Let everything below fill a cache of its own, Go's too."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="blackstart-bench-") as empty:
        for variable in ("BLACKSTART_CACHE", "GOCACHE", "GOMODCACHE"):
            os.environ[variable] = str(Path(empty) / variable.lower())
        os.environ["GOFLAGS"] = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _ups(name: str, distribution: str, progress: StepTimes, *, cold: bool) -> Iterator[Timed]:
    """Time what a user does on a day, one thing after the other on one lab."""
    wanted = _wanted(name, distribution, lab_profile=FIRST_PROFILE)
    if cold:
        seconds = bring_up(wanted, progress).seconds
        yield Timed(what=COLD, seconds=seconds, steps=progress.take())
        remove(name, progress)
    began = time.time()
    result = bring_up(wanted, progress)
    ready = ready_after(find(name).cluster, began)
    yield Timed(what=READY, seconds=max(ready.values()))
    yield Timed(what=FRAMES, seconds=result.seconds, steps=_parts(progress, result))
    result = bring_up(wanted, progress)
    progress.note(f"  changed={sum(result.recap.changed.values())} on the running lab")
    yield Timed(what=AGAIN, seconds=result.seconds, steps=_parts(progress, result))
    yield _return(name, progress)
    result = bring_up(_wanted(name, distribution), progress)
    yield Timed(what=PROFILE, seconds=result.seconds, steps=_parts(progress, result))


def _return(name: str, progress: StepTimes) -> Timed:
    began = time.monotonic()
    lab = find(name)
    with progress.step(f"Stop {len(lab.running)} nodes"):
        lab.provider.stop()
    boot(lab.provider, progress)
    await_frames(lab.cluster, progress)
    return Timed(what=RETURN, seconds=time.monotonic() - began, steps=progress.take())


def _parts(progress: StepTimes, result: UpResult) -> list[tuple[str, float]]:
    """Return the steps, then the tasks of the playbook among them."""
    return [*progress.take(), *((f"· {task}", taken) for task, taken in result.recap.durations)]


def _loads(name: str, progress: StepTimes) -> Iterator[tuple[str, list[usage.NodeUsage]]]:
    """Watch the nodes while nothing is asked of them, with workloads and without."""
    yield "with workloads", _watch(name, progress)
    _remove_workloads(name)
    yield "alone", _watch(name, progress)


def _watch(name: str, progress: StepTimes) -> list[usage.NodeUsage]:
    progress.note(f"  Let the lab settle for {SETTLE_S} s, then watch it for {SPAN_S} s")
    time.sleep(SETTLE_S)
    return usage.measure(name, SPAN_S)


def _remove_workloads(name: str) -> None:
    """Leave the nodes with Kubernetes alone; the lab is removed after the bench."""
    server = find(name).nodes[0]
    server.run([*KUBECTL, "delete", "deployment", "--all", "-n", NAMESPACE], timeout_s=120)


def _show(kind: str, done: Sequence[Timed], loads: Mapping[str, Sequence[usage.NodeUsage]]) -> None:
    table = Table("What", "Measured", "Target", "Ratio", title=f"lab up with {kind}")
    for one in done:
        target = TARGETS_S[kind][one.what]
        measured, ratio = f"{one.seconds:.1f} s", f"{one.seconds / target:.2f}"
        table.add_row(one.what, measured, f"{target:.0f} s", ratio)
        for step, seconds in one.steps:
            if seconds >= LEAST_S:
                table.add_row(f"  {step}", f"{seconds:.1f} s", style="dim")
    for state, nodes in loads.items():
        for node in nodes:
            percent = TARGET_CPU_PERCENT[node.role]
            table.add_row(
                f"{node.name} {state}: CPU of one core",
                f"{node.cpu_percent} %",
                f"{percent} %",
                f"{node.cpu_percent / percent:.2f}",
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
    command.run(main)
