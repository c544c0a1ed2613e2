"""Disturbances of the grid: steps, oscillations and ramps of voltages, currents and phase."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from grid.pmu.signals import shapes
from grid.pmu.signals.schedule import Schedule
from grid.pmu.signals.shapes import Curve

_TURN = 2 * math.pi


class Effect(NamedTuple):
    """The effect of a disturbance on a PMU whose share in it is 1."""

    phase: Curve
    """Added to the phase of everything, in rad; slope and bend per second."""
    voltage: float = 0.0
    """Relative change of the voltages of `phases`."""
    current: float = 0.0
    """Relative change of the currents of `phases`."""
    phases: tuple[int, ...] = (0, 1, 2)
    """Whose magnitudes change: 0 is A, 1 is B, 2 is C."""


class Disturbance(Protocol):
    """A signal event; a pure function of time."""

    def at(self, ns: int) -> Effect | None:
        """Return the effect at a time in ns since 1970-01-01 UTC; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class PhaseStep:
    """A step of the phase, and the step back at the end."""

    schedule: Schedule
    """When it starts."""
    duration_s: float | None
    """How long it lasts, transitions included; None: for ever."""
    angle_deg: float
    """Size of the step."""
    transition_s: float
    """How long the step takes: that of a PMU's window, since no PMU shows a jump."""

    def at(self, ns: int) -> Effect | None:
        """Return the effect at a time; see Disturbance."""
        found = _age(self.schedule, self.duration_s, ns)
        if found is None:
            return None
        shape = shapes.window(found, self.duration_s, self.transition_s)
        return Effect(_scaled(shape, math.radians(self.angle_deg)))


@dataclass(frozen=True, kw_only=True)
class MagnitudeStep:
    """A rise or sag of voltages or currents, and the return at the end."""

    schedule: Schedule
    """When it starts."""
    duration_s: float | None
    """How long it lasts, transitions included; None: for ever."""
    voltage_percent: float
    """Change of the voltages."""
    current_percent: float
    """Change of the currents."""
    phases: tuple[int, ...]
    """Which phases: 0 is A, 1 is B, 2 is C."""
    transition_s: float
    """How long each step takes."""

    def at(self, ns: int) -> Effect | None:
        """Return the effect at a time; see Disturbance."""
        found = _age(self.schedule, self.duration_s, ns)
        if found is None:
            return None
        size = shapes.window(found, self.duration_s, self.transition_s).value / 100
        return Effect(
            shapes.ZERO, self.voltage_percent * size, self.current_percent * size, self.phases
        )


@dataclass(frozen=True, kw_only=True)
class Oscillation:
    """A swing of phase and voltage: between areas where shares of both signs are given."""

    schedule: Schedule
    """When it starts."""
    duration_s: float | None
    """How long it lasts, its first and last period fading; None: for ever."""
    frequency_hz: float
    """Of the swing."""
    angle_deg: float
    """Amplitude of the phase, before damping."""
    voltage_percent: float
    """Amplitude of the voltages, before damping."""
    damping: float
    """Damping ratio: 0 goes on, below 0 grows."""

    def at(self, ns: int) -> Effect | None:
        """Return the effect at a time; see Disturbance."""
        found = _age(self.schedule, self.duration_s, ns)
        if found is None:
            return None
        shape = shapes.product(
            shapes.window(found, self.duration_s, 1 / self.frequency_hz),
            shapes.swing(found, self.frequency_hz, self.damping),
        )
        return Effect(
            _scaled(shape, math.radians(self.angle_deg)), self.voltage_percent / 100 * shape.value
        )


@dataclass(frozen=True, kw_only=True)
class FrequencyRamp:
    """A frequency that leaves its value at a rate, stays away, and returns at the same rate."""

    schedule: Schedule
    """When it starts."""
    duration_s: float
    """From leaving to being back."""
    deviation_hz: float
    """How far it goes; negative is down."""
    rate_hz_s: float
    """How fast, positive."""

    def at(self, ns: int) -> Effect | None:
        """Return the effect at a time; see Disturbance.

        The phase that a ramp gathered stays, and adds up over its repetitions.
        """
        found = self.schedule.occurrence(ns)
        if found is None:
            return None
        number, age = found
        shape = shapes.trapezoid(age, self.deviation_hz, self.rate_hz_s, self.duration_s)
        whole = self.deviation_hz * (self.duration_s - abs(self.deviation_hz) / self.rate_hz_s)
        turns = math.fmod(number * math.fmod(whole, 1.0), 1.0) + shape.value
        return Effect(Curve(_TURN * turns, _TURN * shape.slope, _TURN * shape.bend))


def once_a_time(at: Callable[[int], Effect | None]) -> Callable[[int], Effect | None]:
    """Return `at` with a memory of its last answer: many PMUs ask for one time."""
    asked: int | None = None
    answer: Effect | None = None

    def remembered(ns: int) -> Effect | None:
        nonlocal asked, answer
        if ns != asked:
            asked, answer = ns, at(ns)
        return answer

    return remembered


def _age(schedule: Schedule, duration_s: float | None, ns: int) -> float | None:
    found = schedule.occurrence(ns)
    if found is None or (duration_s is not None and found[1] >= duration_s):
        return None
    return found[1]


def _scaled(curve: Curve, factor: float) -> Curve:
    return Curve(curve.value * factor, curve.slope * factor, curve.bend * factor)
