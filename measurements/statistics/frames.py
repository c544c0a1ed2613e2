"""The stream at the consumer: frames expected, lost, late and empty, and its gaps.

Two clocks are used and never mixed up. What was *lost* is counted by the frames' own time
stamps: a stream of `rate` frames/s has one stamp every 1/rate s (IEEE C37.118.1, 5.3),
and a stamp that never came is a lost frame. How long the consumer *waited* is measured
by the arrival times on the control machine's monotonic clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from measurements import cases, events
from measurements.history import RecordedEvent
from measurements.statistics import descriptive, outages

DATA_ERROR = 0xC000
"""STAT bits 15-14; anything but 00 says: do not use these data (C37.118.2, table 7)."""
STRAY_S = 60.0
"""A frame whose age differs by more than this from the median age has a wrong stamp."""
LATE_S = 0.2
"""A frame that is older than this on arrival came late."""

Arrival = tuple[RecordedEvent, events.FrameArrived]


@dataclass(frozen=True, kw_only=True)
class FrameRecord:
    """The frames of one case, in order of arrival, each with its number."""

    came: Sequence[Arrival]
    """The frames, strays left out; at least one."""
    stray: int
    """Frames with a wrong stamp: they would make millions of frames seem lost."""
    keys: Sequence[int]
    """For each the number of its stamp: stamps times rate, so that neighbours differ by 1."""
    rate: float
    """Frames per second, as the configuration declares, or as the stamps show."""
    pmus: tuple[str, ...]
    """Names of the PMUs, in the order of their blocks."""

    def series(self, *, complete: bool) -> outages.Series:
        """Return the arrivals of all frames, or of those with every PMU's data."""
        chosen = [
            index
            for index, (_, frame) in enumerate(self.came)
            if not complete or is_complete(frame)
        ]
        return outages.Series(
            times=[self.came[index][0] for index in chosen],
            keys=[self.keys[index] for index in chosen],
        )


@dataclass(frozen=True, kw_only=True)
class FrameGap:
    """A run of frames that never came."""

    missing: int
    """How many."""
    seconds: float
    """Time between the stamps of the frames around it."""
    at_s: float
    """Arrival of the frame before it, in seconds from fault in force."""
    lines: tuple[int, ...]
    """The frames around it; one where the stream ended with it."""


@dataclass(frozen=True, kw_only=True)
class FrameCounts:
    """What became of the frames of one case."""

    rate: float
    """Frames per second that the stream declared."""
    expected: int
    """Stamps between the case's first frame and its last moment."""
    received: int
    """Different stamps that came."""
    lost: int
    """Expected minus received."""
    lost_before: int
    """Of these, before the fault."""
    late: int
    """Frames older than LATE_S on arrival (wall clock minus stamp)."""
    duplicate: int
    """Frames whose stamp had come before."""
    out_of_order: int
    """Frames that came after a younger one."""
    absent: int
    """Frames in which at least one PMU's data are marked as not to be used."""
    stray: int
    """Frames whose stamp was over STRAY_S off; they count for nothing else."""
    absent_by_pmu: dict[str, int]
    """The same for each PMU."""
    gap_s: float
    """The longest outage that the fault can have caused, by arrival; 0 where none was."""
    gap_lines: tuple[int, ...]
    """The frames around it."""
    pause_s: float
    """The longest time between two arrivals since the fault, whether or not a frame was lost."""
    gaps: tuple[FrameGap, ...]
    """Every run of lost frames, in order."""
    connections: int
    """Times the consumer connected during the case."""
    refusals: int
    """Times it tried and got no connection."""
    age_median_s: float | None
    """Age of a frame on arrival before the fault: arrival (wall clock) minus stamp."""
    age_p99_s: float | None
    """The same, 99th percentile."""


def of(case: cases.CaseHistory) -> FrameRecord | None:
    """Return the frames that came during the case; None where none did."""
    came = cases.of_kind(case.events, events.FrameArrived)
    if not came:
        return None
    ages = [_age_s(event, frame) for event, frame in came]
    usual = descriptive.quantile(ages, 0.5) or 0.0
    every = len(came)
    came = [arrival for arrival, age in zip(came, ages, strict=True) if abs(age - usual) < STRAY_S]
    rate, pmus = _configuration(case, came)
    keys = [round((frame.soc + frame.fraction) * rate) for _, frame in came]
    return FrameRecord(came=came, stray=every - len(came), keys=keys, rate=rate, pmus=pmus)


def is_complete(frame: events.FrameArrived) -> bool:
    """Return whether every PMU's data in it may be used."""
    return not any(stat & DATA_ERROR for stat in frame.stats)


def count(case: cases.CaseHistory, record: FrameRecord) -> FrameCounts:
    """Return what became of the case's frames."""
    came = record.came
    duplicate, out_of_order, by_key = _order(record.keys)
    gaps = _gaps(case, record, by_key)
    since_ns = case.since_ns if case.since_ns is not None else case.until_ns
    longest = outages.longest(case, record.series(complete=False))
    ages = [_age_s(event, frame) for event, frame in came]
    calm = [age for age, (event, _) in zip(ages, came, strict=True) if event.t_ns < since_ns]
    lost = sum(gap.missing for gap in gaps)
    return FrameCounts(
        rate=record.rate,
        expected=len(by_key) + lost,
        received=len(by_key),
        lost=lost,
        lost_before=_lost_before(record, gaps, since_ns),
        late=sum(age > LATE_S for age in ages),
        duplicate=duplicate,
        out_of_order=out_of_order,
        absent=sum(not is_complete(frame) for _, frame in came),
        stray=record.stray,
        absent_by_pmu={name: _absent(came, index) for index, name in enumerate(record.pmus)},
        gap_s=longest.seconds if longest else 0.0,
        gap_lines=longest.lines if longest else (),
        pause_s=_pause_s(record, since_ns if case.since_ns is not None else case.start.t_ns),
        gaps=tuple(gaps),
        connections=len(cases.of_kind(case.events, events.ConsumerConnected)),
        refusals=len(cases.of_kind(case.events, events.ConsumerRefused)),
        age_median_s=descriptive.quantile(calm, 0.5),
        age_p99_s=descriptive.quantile(calm, 0.99),
    )


def _configuration(
    case: cases.CaseHistory, came: Sequence[Arrival]
) -> tuple[float, tuple[str, ...]]:
    """Return the stream's rate and its PMUs' names: declared, else seen."""
    told = cases.of_kind([*case.earlier, *case.events], events.StreamConfigured)
    blocks = max(len(frame.stats) for _, frame in came)
    unnamed = tuple(f"block {number}" for number in range(1, blocks + 1))
    if told:
        return told[-1][1].rate, told[-1][1].pmus or unnamed
    stamps = [frame.soc + frame.fraction for _, frame in came]
    steps = [later - earlier for earlier, later in pairwise(stamps) if later > earlier]
    return 1 / (descriptive.quantile(steps, 0.5) or 0.02), unnamed


def _order(keys: Sequence[int]) -> tuple[int, int, dict[int, int]]:
    """Return duplicates, frames out of order, and stamp -> index of its first frame."""
    duplicate = out_of_order = 0
    youngest = keys[0]
    by_key: dict[int, int] = {}
    for index, key in enumerate(keys):
        if key in by_key:
            duplicate += 1
            continue
        out_of_order += key < youngest
        youngest = max(youngest, key)
        by_key[key] = index
    return duplicate, out_of_order, by_key


def _gaps(case: cases.CaseHistory, record: FrameRecord, by_key: dict[int, int]) -> list[FrameGap]:
    """Return the runs of stamps that are missing between frames, and after the last one."""
    gaps = []
    for key, following in pairwise(sorted(by_key)):
        if following - key > 1:
            before, after = record.came[by_key[key]][0], record.came[by_key[following]][0]
            gaps.append(
                FrameGap(
                    missing=following - key - 1,
                    seconds=(following - key) / record.rate,
                    at_s=case.seconds(before),
                    lines=(before.line, after.line),
                )
            )
    last = record.came[-1][0]
    left_s = (case.until_ns - last.t_ns) / 1e9
    if left_s > outages.TAIL_S:
        gaps.append(
            FrameGap(
                missing=int(left_s * record.rate),
                seconds=left_s,
                at_s=case.seconds(last),
                lines=(last.line,),
            )
        )
    return gaps


def _lost_before(record: FrameRecord, gaps: Sequence[FrameGap], since_ns: int) -> int:
    early = {event.line for event, _ in record.came if event.t_ns <= since_ns}
    return sum(gap.missing for gap in gaps if len(gap.lines) > 1 and gap.lines[1] in early)


def _absent(came: Sequence[Arrival], index: int) -> int:
    words = [frame.stats[index] for _, frame in came if index < len(frame.stats)]
    return sum(bool(word & DATA_ERROR) for word in words)


def _pause_s(record: FrameRecord, since_ns: int) -> float:
    times = [event.t_ns for event, _ in record.came]
    return max((b - a for a, b in pairwise(times) if b > since_ns), default=0) / 1e9


def _age_s(event: RecordedEvent, frame: events.FrameArrived) -> float:
    return datetime.fromisoformat(event.wall).timestamp() - (frame.soc + frame.fraction)
