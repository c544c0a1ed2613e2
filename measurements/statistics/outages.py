"""Outages of anything that ought to come at a steady pace: frames, acknowledged rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from measurements import cases
from measurements.history import RecordedEvent

SILENCE_S = 0.2
"""Arrivals further apart than this may be an outage: ten frame times at 50 frames/s."""
STEADY_S = 1.0
"""What comes counts as flowing again when it then holds for this long."""
TAIL_S = 2.0
"""At the end of a case, a shorter silence may be frames that are still on their way."""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A stretch without arrivals, short bursts in the middle of it included."""

    before: RecordedEvent
    """The last arrival before it."""
    after: RecordedEvent | None
    """The first arrival of what then held; None where nothing came any more."""
    seconds: float
    """From one to the other, or to the end of the case."""
    parts: int
    """Silences that it consists of: more than one if short bursts came in between."""

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of the history between which it lies."""
        return tuple(event.line for event in (self.before, self.after) if event)


@dataclass(frozen=True, kw_only=True)
class Series:
    """Arrivals in order of time."""

    times: Sequence[RecordedEvent]
    """When each came."""
    keys: Sequence[int] | None = None
    """A number for each that grows by one: a silence in which none is missing is late
    arrivals, and no outage. None where there is no such number."""
    silence_s: float = SILENCE_S
    """Arrivals further apart than this may be an outage."""


def outages(series: Series, *, since_ns: int, until_ns: int) -> list[Outage]:
    """Return the outages that end after `since_ns`, one still open at `until_ns` included.

    Outages with less than STEADY_S of arrivals between them are one: a burst out of a
    dying connection's buffer is no recovery.
    """
    merged: list[tuple[int, int | None, int]] = []
    for before, after in _silences(series, until_ns):
        if after is not None and series.times[after].t_ns <= since_ns:
            continue
        last = merged[-1] if merged else None
        if last and last[1] is not None and _apart_s(series, last[1], before) < STEADY_S:
            merged[-1] = (last[0], after, last[2] + 1)
        else:
            merged.append((before, after, 1))
    return [
        Outage(
            before=series.times[before],
            after=None if after is None else series.times[after],
            seconds=_apart_s(series, before, after)
            if after is not None
            else (until_ns - series.times[before].t_ns) / 1e9,
            parts=parts,
        )
        for before, after, parts in merged
    ]


def longest(case: cases.CaseHistory, series: Series) -> Outage | None:
    """Return the longest outage that the fault can have caused; None where there is none.

    One that begins after the healing of a lasting fault did is not the fault's.
    """
    if case.since_ns is None:
        return None
    stop = case.healing.t_ns if case.healing else case.until_ns
    found = outages(series, since_ns=case.since_ns, until_ns=case.until_ns)
    caused = [outage for outage in found if outage.before.t_ns <= stop]
    return max(caused, key=lambda outage: outage.seconds, default=None)


def _silences(series: Series, until_ns: int) -> list[tuple[int, int | None]]:
    """Return (index before, index after) of each silence in which something is missing."""
    found: list[tuple[int, int | None]] = []
    for index in range(len(series.times) - 1):
        missing = series.keys is None or series.keys[index + 1] - series.keys[index] > 1
        if missing and _apart_s(series, index, index + 1) > series.silence_s:
            found.append((index, index + 1))
    if series.times and (until_ns - series.times[-1].t_ns) / 1e9 > max(TAIL_S, series.silence_s):
        found.append((len(series.times) - 1, None))
    return found


def _apart_s(series: Series, index: int, later: int) -> float:
    return (series.times[later].t_ns - series.times[index].t_ns) / 1e9
