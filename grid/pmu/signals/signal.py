"""The signals of a line: three voltages, three currents, frequency and ROCOF.

Everything is a pure function of time and seed, so PMUs with one seed see one grid, and
a PMU that was restarted goes on where its predecessor would be. Frequency and ROCOF are
the derivatives of the phase that the phasors show (without the noise).
"""

import cmath
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from grid.pmu.signals.disturbance import Disturbance, Effect, once_a_time
from grid.pmu.signals.schedule import NS
from grid.pmu.signals.shapes import ZERO, Curve

VOLTAGE_V = 132_000 / math.sqrt(3)
"""Phase voltage of a 132 kV line."""
CURRENT_A = 400.0
QUANTITIES = ("VA", "VB", "VC", "IA", "IB", "IC")
"""The order of a sample's phasors."""

_TURN = 2 * math.pi
_PHASES_RAD = (0.0, -_TURN / 3, _TURN / 3)
_POWER_FACTOR_RAD = 0.3
_WANDER = ((0.6, 61.0), (0.3, 17.0), (0.1, 5.3))
"""Share of the whole and period in s of the waves that make up the frequency deviation."""
_TABLE = 8191
"""Entries of the noise table; a prime, so that it doesn't repeat with the seconds."""


class Sample(NamedTuple):
    """The quantities of a line at one time."""

    phasors: Sequence[complex]
    """Six rms values in V and A, in the order of QUANTITIES, against nominal frequency."""
    deviation_hz: float
    """Frequency less nominal frequency."""
    rocof_hz_s: float
    """Rate of change of frequency."""


class Signal(Protocol):
    """The quantities that a PMU measures; a pure function of time."""

    def at(self, ns: int) -> Sample:
        """Return the sample at a time, in ns since 1970-01-01 UTC."""


@dataclass(frozen=True, kw_only=True)
class LineLevel:
    """The undisturbed line at a PMU."""

    voltage_v: float = VOLTAGE_V
    """Phase voltage, rms."""
    current_a: float = CURRENT_A
    """Rms."""
    angle_deg: float | None = None
    """Phase of VA; None: drawn from seed and IDCODE."""
    power_factor_deg: float = math.degrees(_POWER_FACTOR_RAD)
    """How far the currents lag behind the voltages."""


class AmbientFrequency:
    """The grid's own frequency, which is never quite nominal; all PMUs share one."""

    def __init__(self, *, seed: int, wander_hz: float) -> None:
        grid = random.Random(f"grid {seed}")  # noqa: S311 - a signal, not a secret
        self._waves = tuple(
            (wander_hz * share, _TURN / period, grid.uniform(0, _TURN)) for share, period in _WANDER
        )
        self._ns = -1
        self._phase = ZERO

    def at(self, ns: int) -> Curve:
        """Return the phase in rad with both derivatives."""
        if ns == self._ns:
            return self._phase
        seconds = ns / NS
        value = slope = bend = 0.0
        for amplitude, omega, start in self._waves:
            wave = omega * seconds + start
            value -= amplitude / omega * math.cos(wave)
            slope += amplitude * math.sin(wave)
            bend += amplitude * omega * math.cos(wave)
        self._ns, self._phase = ns, Curve(_TURN * value, _TURN * slope, _TURN * bend)
        return self._phase


class LineSignal:
    """A signal: a line at a steady level in a grid whose frequency wanders."""

    def __init__(
        self, *, ambient: AmbientFrequency, level: LineLevel, seed: int, place: int
    ) -> None:
        local = random.Random(f"place {seed} {place}")  # noqa: S311
        drawn, load = local.uniform(-0.5, 0.5), local.uniform(0.6, 1.0)
        angle = drawn if level.angle_deg is None else math.radians(level.angle_deg)
        current = level.current_a * (load if level.angle_deg is None else 1.0)
        lag = math.radians(level.power_factor_deg)
        self._ambient = ambient
        self._base = tuple(
            [cmath.rect(level.voltage_v, angle + phase) for phase in _PHASES_RAD]
            + [cmath.rect(current, angle + phase - lag) for phase in _PHASES_RAD]
        )

    def at(self, ns: int) -> Sample:
        """Return the sample at a time; see Signal."""
        phase = self._ambient.at(ns)
        turn = cmath.rect(1.0, phase.value)
        return Sample([base * turn for base in self._base], phase.slope / _TURN, phase.bend / _TURN)


class DisturbedSignal:
    """A signal with events on top of another signal."""

    def __init__(self, signal: Signal, events: Sequence[tuple[Disturbance, float]]) -> None:
        """Take the events with this PMU's share in each."""
        self._signal = signal
        self._events: list[tuple[Callable[[int], Effect | None], float]] = [
            (event.at, share) for event, share in events
        ]

    def at(self, ns: int) -> Sample:
        """Return the sample at a time; see Signal."""
        sample = self._signal.at(ns)
        for event, share in self._events:
            effect = event(ns)
            if effect is not None:
                sample = _affected(sample, effect, share)
        return sample


class Noise:
    """Relative errors of phasors, as a function of time; many PMUs share one table."""

    def __init__(self, *, seed: int, deviation: float) -> None:
        chance = random.Random(f"noise {seed}")  # noqa: S311
        table = [
            complex(1 + chance.gauss(0, deviation), chance.gauss(0, deviation))
            for _ in range(_TABLE)
        ]
        self._table = table + table[: len(QUANTITIES)]
        self.silent = deviation == 0
        """Whether there is no noise at all."""

    def at(self, ns: int, place: int) -> list[complex]:
        """Return a factor for each quantity at a place."""
        first = (ns // 1_000_000 * 7 + place * 1543) % _TABLE
        return self._table[first : first + len(QUANTITIES)]


def shared(disturbance: Disturbance) -> Disturbance:
    """Return the same event, computed once for all PMUs that ask for one time."""
    return _Shared(disturbance)


class _Shared:
    """A disturbance that remembers its last answer."""

    def __init__(self, disturbance: Disturbance) -> None:
        self.at = once_a_time(disturbance.at)


def _affected(sample: Sample, effect: Effect, share: float) -> Sample:
    phase = effect.phase
    turn = cmath.rect(1.0, phase.value * share)
    phasors = [phasor * turn for phasor in sample.phasors]
    if effect.voltage or effect.current:
        for index in effect.phases:
            phasors[index] *= 1 + effect.voltage * share
            phasors[index + 3] *= 1 + effect.current * share
    return Sample(
        phasors,
        sample.deviation_hz + phase.slope * share / _TURN,
        sample.rocof_hz_s + phase.bend * share / _TURN,
    )
