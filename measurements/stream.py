"""The stream at the consumer: frames expected, lost, late and empty, and its gaps.

Two clocks are used and never mixed. What was *lost* is counted by the frames' own time
stamps: a stream of `rate` frames/s has one stamp every 1/rate s (IEEE C37.118.1, 5.3),
and a stamp that never came is a lost frame. How long the consumer *waited* is measured
by the arrival times on the control machine's monotonic clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from measurements import cases, events, statistics
from measurements.history import Event

SILENCE_S = 0.2
"""Arrivals further apart than this are a gap: ten frame times at 50 frames/s."""
STEADY_S = 1.0
"""A stream counts as flowing again when it then holds for this long."""
DATA_ERROR = 0xC000
"""STAT bits 15-14; anything but 00 says: do not use these data (C37.118.2, table 7)."""

Arrival = tuple[Event, events.FrameArrived]


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A stretch without frames, short bursts in the middle of it included."""

    before: Event | None
    """The last frame before it; None where the stream had not begun."""
    after: Event | None
    """The first frame of the stream that then held; None where none came."""
    seconds: float
    """From one to the other, or to the end of the case."""
    parts: int
    """Silences that it consists of: more than one if short bursts came in between."""


@dataclass(frozen=True, kw_only=True)
class Gap:
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
class Frames:
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
    duplicate: int
    """Frames whose stamp had come before."""
    out_of_order: int
    """Frames that came after a younger one."""
    absent: int
    """Frames in which at least one PMU's data are marked as not to be used."""
    absent_by_pmu: dict[str, int]
    """The same for each PMU."""
    gap_s: float
    """The longest time without a frame that touches the fault, by arrival."""
    gap_lines: tuple[int, ...]
    """The frames around it."""
    gaps: tuple[Gap, ...]
    """Every run of lost frames, in order."""
    connections: int
    """Times the consumer connected during the case."""
    refusals: int
    """Times it tried and got no connection."""
    age_median_s: float | None
    """Age of a frame on arrival before the fault: arrival (wall clock) minus stamp."""
    age_p99_s: float | None
    """The same, 99th percentile."""


def arrivals(case: cases.Case) -> list[Arrival]:
    """Return the data frames that came during the case, in order of arrival."""
    return cases.of_kind(case.events, events.FrameArrived)


def is_complete(frame: events.FrameArrived) -> bool:
    """Return whether every PMU's data in it may be used."""
    return not any(stat & DATA_ERROR for stat in frame.stats)


def outages(
    times: Sequence[Event], *, since_ns: int, until_ns: int, silence_s: float = SILENCE_S
) -> list[Outage]:
    """Return the outages that end after `since_ns`, the one still open at `until_ns` included.

    `times` are the arrivals in order. Outages with less than STEADY_S of stream between
    them are one: a burst out of a dying connection's buffer is no recovery.
    """
    merged: list[tuple[int, int | None, int]] = []
    stamps = [event.t_ns for event in times]
    pairs: list[tuple[int, int | None]] = [
        *statistics.silences(stamps, longer_than=silence_s * 1e9)
    ]
    if stamps and until_ns - stamps[-1] > silence_s * 1e9:
        pairs.append((len(stamps) - 1, None))
    for before, after in pairs:
        if after is not None and stamps[after] <= since_ns:
            continue
        last = merged[-1] if merged else None
        if last and last[1] is not None and stamps[before] - stamps[last[1]] < STEADY_S * 1e9:
            merged[-1] = (last[0], after, last[2] + 1)
        else:
            merged.append((before, after, 1))
    return [
        Outage(
            before=times[before],
            after=None if after is None else times[after],
            seconds=((until_ns if after is None else stamps[after]) - stamps[before]) / 1e9,
            parts=parts,
        )
        for before, after, parts in merged
    ]


def longest(
    case: cases.Case,
    frames: Sequence[Event],
    *,
    silence_s: float = SILENCE_S,
) -> Outage | None:
    """Return the longest outage of `frames` that the fault can have caused.

    One that begins after healing did is not the fault's. None where there is none.
    """
    if case.since_ns is None:
        return None
    stop = case.fault_stop.t_ns if case.fault_stop and case.declared.node else case.until_ns
    found = outages(frames, since_ns=case.since_ns, until_ns=case.until_ns, silence_s=silence_s)
    caused = [outage for outage in found if outage.before is None or outage.before.t_ns <= stop]
    return max(caused, key=lambda outage: outage.seconds, default=None)


def count(case: cases.Case) -> Frames | None:
    """Return what became of the case's frames; None where none came at all."""
    came = arrivals(case)
    if not came:
        return None
    rate, names = _configuration(case, came)
    keys = [round((frame.soc + frame.fraction) * rate) for _, frame in came]
    duplicate, out_of_order, by_key = _order(keys)
    ordered = sorted(by_key)
    gaps = _gaps(case, [came[by_key[key]][0] for key in ordered], ordered, rate)
    zero_ns = case.since_ns if case.since_ns is not None else case.until_ns
    longest_gap = longest(case, [event for event, _ in came])
    ages = [_age_s(event, frame) for event, frame in came if event.t_ns < zero_ns]
    lost = sum(gap.missing for gap in gaps)
    return Frames(
        rate=rate,
        expected=len(ordered) + lost,
        received=len(ordered),
        lost=lost,
        lost_before=_lost_before(case, gaps, came),
        duplicate=duplicate,
        out_of_order=out_of_order,
        absent=sum(not is_complete(frame) for _, frame in came),
        absent_by_pmu={
            name: sum(
                index < len(frame.stats) and bool(frame.stats[index] & DATA_ERROR)
                for _, frame in came
            )
            for index, name in enumerate(names)
        },
        gap_s=longest_gap.seconds if longest_gap else _widest_s(case, came),
        gap_lines=() if longest_gap is None else outage_lines(longest_gap),
        gaps=tuple(gaps),
        connections=len(cases.of_kind(case.events, events.Connected)),
        refusals=len(cases.of_kind(case.events, events.Refused)),
        age_median_s=statistics.quantile(ages, 0.5),
        age_p99_s=statistics.quantile(ages, 0.99),
    )


def outage_lines(outage: Outage) -> tuple[int, ...]:
    """Return the lines of the history between which an outage lies."""
    return tuple(event.line for event in (outage.before, outage.after) if event)


def _configuration(case: cases.Case, came: Sequence[Arrival]) -> tuple[float, tuple[str, ...]]:
    """Return the stream's rate and its PMUs' names: declared, else seen."""
    told = cases.of_kind([*case.earlier, *case.events], events.Configured)
    blocks = max(len(frame.stats) for _, frame in came)
    if told:
        names = told[-1][1].pmus
        return told[-1][1].rate, names or tuple(f"block {i + 1}" for i in range(blocks))
    stamps = [frame.soc + frame.fraction for _, frame in came]
    steps = [b - a for a, b in pairwise(stamps) if b > a]
    step = statistics.quantile(steps, 0.5) or 0.02
    return 1 / step, tuple(f"block {index + 1}" for index in range(blocks))


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


def _gaps(case: cases.Case, came: Sequence[Event], keys: Sequence[int], rate: float) -> list[Gap]:
    """Return the runs of stamps that are missing between `keys`, and after the last one."""
    gaps = [
        Gap(
            missing=keys[i + 1] - keys[i] - 1,
            seconds=(keys[i + 1] - keys[i]) / rate,
            at_s=case.seconds(came[i]),
            lines=(came[i].line, came[i + 1].line),
        )
        for i in range(len(keys) - 1)
        if keys[i + 1] - keys[i] > 1
    ]
    left_s = (case.until_ns - max(came, key=lambda event: event.t_ns).t_ns) / 1e9
    if left_s > SILENCE_S and int(left_s * rate) > 0:
        gaps.append(
            Gap(
                missing=int(left_s * rate),
                seconds=left_s,
                at_s=case.seconds(came[-1]),
                lines=(came[-1].line,),
            )
        )
    return gaps


def _lost_before(case: cases.Case, gaps: Sequence[Gap], came: Sequence[Arrival]) -> int:
    since = case.since_ns
    if since is None:
        return sum(gap.missing for gap in gaps)
    early = {event.line for event, _ in came if event.t_ns <= since}
    return sum(gap.missing for gap in gaps if len(gap.lines) > 1 and gap.lines[1] in early)


def _widest_s(case: cases.Case, came: Sequence[Arrival]) -> float:
    """Return the widest distance of two arrivals since the fault: no outage, yet a figure."""
    since = case.since_ns or case.start.t_ns
    stamps = [event.t_ns for event, _ in came]
    widths = [b - a for a, b in pairwise(stamps) if b > since]
    return max(widths, default=0) / 1e9


def _age_s(event: Event, frame: events.FrameArrived) -> float:
    return datetime.fromisoformat(event.wall).timestamp() - (frame.soc + frame.fraction)
