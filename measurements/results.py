"""What a history yields: the types of `results.json`."""

from dataclasses import dataclass
from typing import Literal

from measurements.events import Recovery
from measurements.statistics.frames import FrameCounts
from measurements.windows import Windows

STAGES: dict[str, str] = {
    "not_ready": "The node's loss noticed: first report of it as not Ready",
    "evicted": "The old pod given up: its deletion asked for",
    "scheduled": "The new pod assigned to a node",
    "started": "Its containers running",
    "ready": "The pod Ready again",
    "streaming": "Frames at the consumer again",
    "complete": "Frames with data of every PMU again",
    "writing": "Rows acknowledged by the database again",
}
"""The stages of a recovery, in the order they are reported."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One stage of a recovery."""

    seconds: float | None
    """Seconds from fault in force; None where the stage was not seen."""
    reason: str = ""
    """Why there is no value, or what it is about: the pod's node, the watcher."""
    lines: tuple[int, ...] = ()
    """Lines of history.jsonl that it follows from."""
    applicable: bool = True
    """False where this case has no such stage: no value is then no failure."""


@dataclass(frozen=True, kw_only=True)
class RowCounts:
    """What became of the rows of one case."""

    acknowledged: int
    """Rows that the database acknowledged during the case."""
    errors: int
    """Rows and connections that failed."""
    longest_gap_s: float
    """The longest time between two acknowledgements."""
    gap_lines: tuple[int, ...]
    """The acknowledgements around it."""
    checked: int | None
    """Acknowledged rows looked for afterwards, since the run began; None = not checked."""
    missing: tuple[int, ...]
    """Of these, the rows that were gone."""
    checked_line: int | None
    """Where the check stands."""


@dataclass(frozen=True, kw_only=True)
class FalseAlarm:
    """A node that left Ready although the fault did not touch it."""

    node: str
    """Its name."""
    seconds: float
    """When, in seconds from fault in force."""
    ready: str
    """What it became: `False` or `Unknown`."""
    line: int
    """Where it stands."""


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """Everything that a history says about one case."""

    name: str
    """The case's name."""
    title: str
    """What was broken, in one sentence."""
    app: str
    """The application whose recovery was measured."""
    recovery: Recovery
    """How its pod recovers."""
    published: str | None
    """Key of the published value beside it; None where there is none."""
    outcome: Literal["passed", "failed", "aborted"]
    """What the test found; `aborted` where it never said."""
    message: str
    """The test's words about a failure."""
    fault: str
    """The fault's name; empty where none was started."""
    target: str
    """What the fault was applied to; empty where none was started."""
    lasts: bool
    """Whether the fault stayed in force until it was healed."""
    breaks_node: str | None
    """The node that the fault broke; None where it broke none."""
    in_force_line: int | None
    """Where the zero of all intervals stands."""
    in_force_wall: str
    """The same as UTC time."""
    stopped_s: float | None
    """When healing began."""
    healed_s: float | None
    """When the fault was gone."""
    intervals: dict[str, Interval]
    """Stage -> interval, for every stage of STAGES."""
    windows: Windows
    """Stage -> what the timer profile predicts."""
    frames: FrameCounts | None
    """None where no frame came."""
    sql: RowCounts | None
    """None where no row was written."""
    false_not_ready: tuple[FalseAlarm, ...]
    """Nodes that left Ready for no reason of this case's."""
    load: float | None
    """The higher of the machine's load averages at the case's begin and end, per core."""
    notes: tuple[str, ...]
    """The harness's remarks."""

    def within(self, stage: str) -> str | None:
        """Return what is wrong with a stage: a sentence with value and window, or None.

        A stage without a window is never wrong. A stage that had no need to happen (the
        stream was never interrupted) is right where the window begins at 0.
        """
        window, interval = self.windows.get(stage), self.intervals[stage]
        if window is None:
            return None
        expected = f"expected {window.earliest_s:.1f} to {window.latest_s:.1f} s ({window.why})"
        if interval.seconds is None and not interval.applicable and window.earliest_s <= 0:
            return None
        if interval.seconds is None:
            return f"{self.name}: {stage}: {interval.reason}; {expected}"
        if window.earliest_s <= interval.seconds <= window.latest_s:
            return None
        return f"{self.name}: {stage} after {interval.seconds:.2f} s; {expected}"
