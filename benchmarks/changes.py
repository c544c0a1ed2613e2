"""`make bench-changes`: change a running lab as its user does; count what its consumers lost."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command
from experiment import session
from experiment.workloads import database
from lab.cluster.endpoints import HIGHER
from lab.cluster.lab import Lab
from lab.console.errors import LabError, shortened
from lab.nodes.mark import LabMark
from measurements import events, history
from measurements.probes.consumer import Consumer
from measurements.probes.sql_writer import SqlWriter

LIMIT_S = 1800.0
"""How long one change may take."""
SETTLE_S = 15.0
"""After each change, in which what it still costs is counted as its own."""
READ_BACK_LIMIT_S = 120.0
"""How long MySQL may take to tell its rows, after a change that moved it."""
RELEASE_SETTING = {"k3s": "lab_k3s_version", "kubeadm": "lab_kubernetes_version"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """Commands of `lab` that change it, one after the other."""

    what: str
    """In words."""
    verbs: Sequence[Sequence[str]]
    """Each command's words, without the lab's name."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one change cost."""

    change: Change
    """What was done."""
    seconds: float
    """How long its commands took."""
    frames_lost: int
    """Frames whose time stamps lie between those that came, and that never came."""
    silent_s: float
    """Longest time without a frame, in seconds."""
    rows_missing: int
    """Rows that MySQL acknowledged since the beginning and has not any more."""


def main(
    name: Annotated[str, typer.Option(help="The lab, which runs.")] = "blackstart",
    release: Annotated[str, typer.Option(help="A later release, to upgrade to at the end.")] = "",
) -> None:
    """Change the lab under a consumer and a writer; end with 1 where a row is gone."""
    lab, about = session.look_up(name)
    store = database.of(lab.cluster)
    consumed = [(node.address, HIGHER.port) for node in lab.nodes]
    with tempfile.TemporaryDirectory() as directory:
        recorder = history.Recorder(Path(directory) / "history.jsonl")
        consumer = Consumer(recorder, consumed, idcode=HIGHER.idcode)
        writer = SqlWriter(recorder, store.addresses, user=database.USER, password=store.password)
        done = []
        with contextlib.closing(recorder), consumer, writer:
            consumer.wait_for_frames()
            writer.wait_for_rows(5)
            for change in changes(about, release):
                done.append(_make(change, lab, recorder.path, writer))
                print(f"  {_said(done[-1])}", flush=True)
    _show(done, f"{about.distribution}, storage {about.versions['storage']}")
    raise typer.Exit(1 if any(outcome.rows_missing for outcome in done) else 0)


def changes(about: LabMark, release: str) -> Iterator[Change]:
    """Yield what is done to a lab, in order; all but the upgrade is undone."""
    # `lab up` goes by the inventory's files; what the lab was made with besides stays.
    made_with = {key: value for key, value in about.settings.items() if key != "lab_name"}
    profile = "floor" if about.profile != "floor" else "fast"

    def up(**changed: str) -> list[str]:
        wanted = {**made_with, **changed}
        return [
            "up",
            *(word for key, value in wanted.items() for word in ("--set", f"{key}={value}")),
        ]

    yield Change(what=f"timers {profile}", verbs=[up(lab_profile=profile)])
    yield Change(what=f"timers {about.profile}", verbs=[up(lab_profile=about.profile)])
    yield Change(what="a worker more", verbs=[["add-node", "worker-9"]])
    yield Change(what="a worker less", verbs=[["remove-node", "worker-9"]])
    yield Change(what="a server more", verbs=[["add-node", "server-9", "--server"]])
    yield Change(what="a server less", verbs=[["remove-node", "server-9"]])
    yield Change(what="stop and start", verbs=[["stop"], ["start"]])
    if release:
        setting = RELEASE_SETTING[about.distribution]
        yield Change(what=f"upgrade to {release}", verbs=[up(**{setting: release})])


def _make(change: Change, lab: Lab, path: Path, writer: SqlWriter) -> Outcome:
    began_ns = time.monotonic_ns()
    for verb, *words in change.verbs:
        _run([verb, *words, "--name", lab.name])
    seconds = (time.monotonic_ns() - began_ns) / 1e9
    time.sleep(SETTLE_S)
    lost, silent_s = _frames(history.read(path), began_ns)
    missing = writer.check(limit_s=READ_BACK_LIMIT_S).missing
    return Outcome(
        change=change,
        seconds=seconds,
        frames_lost=lost,
        silent_s=silent_s,
        rows_missing=len(missing),
    )


def _run(words: Sequence[str]) -> None:
    argv = [sys.executable, "-m", "lab", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise LabError(
            f"`lab {' '.join(words)}` ended with {done.returncode}.",
            "What it says is below; the lab is left as it is.",
            evidence=shortened(done.stdout + done.stderr),
        )


def _frames(recorded: Sequence[history.RecordedEvent], began_ns: int) -> tuple[int, float]:
    """Return the frames lost since `began_ns`, and the longest silence in seconds.

    The last frame before it counts as come, so that a stream that never returned lost nothing
    that can be counted: LabError then.
    """
    rate = next(e.body.rate for e in recorded if isinstance(e.body, events.StreamConfigured))
    came = [
        (event.t_ns, round((event.body.soc + event.body.fraction) * rate))
        for event in recorded
        if isinstance(event.body, events.FrameArrived)
    ]
    since = max(0, sum(t_ns < began_ns for t_ns, _ in came) - 1)
    came = came[since:]
    if time.monotonic_ns() - came[-1][0] > SETTLE_S / 2 * 1e9:
        raise LabError(
            "No frame comes any more.", "Look at `lab status`; the lab is left as it is."
        )
    numbers = {number for _, number in came}
    lost = max(numbers) - min(numbers) + 1 - len(numbers)
    return lost, max(later - earlier for (earlier, _), (later, _) in pairwise(came)) / 1e9


def _said(outcome: Outcome) -> str:
    return (
        f"{outcome.change.what}: {outcome.seconds:.0f} s, {outcome.frames_lost} frames lost, "
        f"silent for {outcome.silent_s:.1f} s at most, {outcome.rows_missing} rows missing"
    )


def _show(done: Sequence[Outcome], about: str) -> None:
    table = Table("Change", "took", "frames lost", "longest silence", "rows missing", title=about)
    for outcome in done:
        table.add_row(
            outcome.change.what,
            f"{outcome.seconds:.0f} s",
            str(outcome.frames_lost),
            f"{outcome.silent_s:.1f} s",
            str(outcome.rows_missing),
        )
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
