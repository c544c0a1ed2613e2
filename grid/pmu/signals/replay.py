"""Recorded signals from a CSV file.

The first row names the columns; lines that begin with # are skipped. `time_s` counts
seconds from any begin and grows from row to row. The other columns belong to a PMU P:

    P.V, P.V_deg      positive sequence of the voltages: phase value rms in V, angle in degrees
    P.I, P.I_deg      the same of the currents, in A
    P.VA, P.VA_deg    instead of these, each phase: VA VB VC IA IB IC
    P.Hz              frequency; without it the derivative of the first voltage's angle
    P.Hz_s            ROCOF; without it the derivative of the frequency

Angles are against nominal frequency, as a PMU reports them. Currents may be missing: they
are 0 then.
"""

import bisect
import cmath
import csv
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grid.documents.document_error import DocumentError
from grid.pmu.signals.schedule import NS, Schedule
from grid.pmu.signals.signal import QUANTITIES, Sample

_TURN = 2 * math.pi
_SHIFTS = (0.0, -_TURN / 3, _TURN / 3)


@dataclass(frozen=True, kw_only=True)
class Track:
    """The recorded quantities of one PMU; all sequences have one entry a row."""

    times_s: Sequence[float]
    """From 0 on."""
    magnitudes: Sequence[Sequence[float]]
    """Of the six quantities (signal.QUANTITIES), in V and A."""
    angles: Sequence[Sequence[float]]
    """Of the same, in rad, without jumps of a turn."""
    deviations_hz: Sequence[float]
    """Frequency less nominal frequency."""
    rocofs_hz_s: Sequence[float]
    """Rate of change of frequency."""


class Recording:
    """A CSV file; each of its PMUs is a track."""

    def __init__(self, name: str, columns: dict[str, list[float]], nominal_hz: float) -> None:
        self._name = name
        self._columns = columns
        self._nominal_hz = nominal_hz
        start = columns["time_s"][0]
        self._times = [seconds - start for seconds in columns["time_s"]]

    @classmethod
    def read(cls, path: Path, nominal_hz: float) -> "Recording":
        """Read a file; OSError where there is none, DocumentError where it is no recording."""
        try:
            with path.open(newline="", encoding="utf-8") as lines:
                rows = csv.reader(line for line in lines if not line.startswith("#"))
                names = next(rows, [])
                if "time_s" not in names:
                    raise DocumentError([f"{path.name}: the first row has no column time_s"])
                table = _numbers(path.name, names, rows)
        except (UnicodeDecodeError, csv.Error) as error:
            raise DocumentError([f"{path.name}: not CSV: {error}"]) from error
        columns = {name: [row[place] for row in table] for place, name in enumerate(names)}
        times = columns["time_s"]
        if len(times) < 2:
            raise DocumentError([f"{path.name}: a recording has two rows at least"])
        for place, (one, other) in enumerate(itertools.pairwise(times)):
            if other <= one:
                raise DocumentError(
                    [f"{path.name}: time_s does not grow from row {place + 2} to the next"]
                )
        return cls(path.name, columns, nominal_hz)

    def track(self, pmu: str) -> Track:
        """Return a PMU's part; DocumentError where it has none."""
        known = sorted({name.rpartition(".")[0] for name in self._columns if "." in name})
        if pmu not in known:
            raise DocumentError([f"{self._name} has no PMU {pmu!r}; it has {', '.join(known)}"])
        found = [self._quantity(pmu, quantity) for quantity in QUANTITIES]
        hertz = self._columns.get(f"{pmu}.Hz")
        if hertz is None:
            deviations = [slope / _TURN for slope in _slopes(self._times, found[0][1])]
        else:
            deviations = [value - self._nominal_hz for value in hertz]
        return Track(
            times_s=self._times,
            magnitudes=[magnitudes for magnitudes, _ in found],
            angles=[angles for _, angles in found],
            deviations_hz=deviations,
            rocofs_hz_s=self._columns.get(f"{pmu}.Hz_s") or _slopes(self._times, deviations),
        )

    def _quantity(self, pmu: str, quantity: str) -> tuple[list[float], list[float]]:
        """Return magnitudes and angles of a phase: its own columns, or the positive sequence's."""
        kind, shift = quantity[0], _SHIFTS["ABC".index(quantity[1])]
        for name, turned in ((f"{pmu}.{quantity}", 0.0), (f"{pmu}.{kind}", shift)):
            if name not in self._columns:
                continue
            degrees = self._columns.get(f"{name}_deg")
            if degrees is None:
                raise DocumentError([f"{self._name}: column {name} has no {name}_deg"])
            return self._columns[name], [angle + turned for angle in _unwrapped(degrees)]
        if kind == "V":
            raise DocumentError([f"{self._name}: neither {pmu}.V nor {pmu}.{quantity} is a column"])
        return [0.0] * len(self._times), [0.0] * len(self._times)


class Replay:
    """A signal: one track, repeated by a schedule."""

    def __init__(self, track: Track, *, schedule: Schedule, hold: bool = False) -> None:
        """Take the track, when its first row is due, and whether values stand between rows."""
        self._track = track
        self._schedule = schedule
        self._hold = hold

    def at(self, ns: int) -> Sample:
        """Return the sample at a time; before the first row it is that row, so with the last."""
        track = self._track
        found = self._schedule.occurrence(ns)
        seconds = 0.0 if found is None else found[1]
        # Half a nanosecond, so that a row's own time is not taken for the time before it.
        place = bisect.bisect_right(track.times_s, seconds + 0.5 / NS) - 1
        following = min(place + 1, len(track.times_s) - 1)
        part = 0.0
        if following > place and not self._hold:
            start = track.times_s[place]
            part = max(0.0, (seconds - start) / (track.times_s[following] - start))

        def between(values: Sequence[float]) -> float:
            return values[place] + part * (values[following] - values[place])

        return Sample(
            [
                cmath.rect(between(magnitudes), between(angles))
                for magnitudes, angles in zip(track.magnitudes, track.angles, strict=True)
            ],
            between(track.deviations_hz),
            between(track.rocofs_hz_s),
        )


def _numbers(file: str, names: list[str], rows: Iterable[list[str]]) -> list[list[float]]:
    table = []
    for place, row in enumerate(rows, start=2):
        if not row:
            continue
        try:
            numbers = [float(cell) for cell in row]
        except ValueError as error:
            raise DocumentError([f"{file}, row {place}: {error}"]) from error
        if len(numbers) != len(names) or not all(map(math.isfinite, numbers)):
            raise DocumentError([f"{file}, row {place}: {len(names)} finite numbers are expected"])
        table.append(numbers)
    return table


def _unwrapped(degrees: Sequence[float]) -> list[float]:
    """Return angles in rad that never jump by more than half a turn."""
    angles = [math.radians(degrees[0])]
    for angle in degrees[1:]:
        step = math.remainder(math.radians(angle) - angles[-1], _TURN)
        angles.append(angles[-1] + step)
    return angles


def _slopes(times: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the derivative at each row, from its two neighbours."""
    last = len(times) - 1
    return [
        (values[min(place + 1, last)] - values[max(place - 1, 0)])
        / (times[min(place + 1, last)] - times[max(place - 1, 0)])
        for place in range(last + 1)
    ]
