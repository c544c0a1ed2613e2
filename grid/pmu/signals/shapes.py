"""Curves with their first and second derivative, the shapes of disturbances.

A PMU reports phase, frequency and ROCOF, and the latter two are derivatives of the first.
So everything that moves the phase is written down with both derivatives.
"""

import cmath
import math
from typing import NamedTuple


class Curve(NamedTuple):
    """A curve at one time."""

    value: float
    """The value itself."""
    slope: float
    """Its first derivative, a second."""
    bend: float
    """Its second derivative, a second squared."""


ZERO = Curve(0.0, 0.0, 0.0)
ONE = Curve(1.0, 0.0, 0.0)


def product(one: Curve, other: Curve) -> Curve:
    """Return the product of two curves."""
    return Curve(
        one.value * other.value,
        one.slope * other.value + one.value * other.slope,
        one.bend * other.value + 2 * one.slope * other.slope + one.value * other.bend,
    )


def rise(seconds: float, over_s: float) -> Curve:
    """Return a step from 0 to 1 that takes `over_s`, without a jump in either derivative."""
    if seconds <= 0:
        return ZERO
    if seconds >= over_s:
        return ONE
    x = seconds / over_s
    return Curve(
        x * x * x * (x * (6 * x - 15) + 10),
        30 * x * x * (x - 1) * (x - 1) / over_s,
        60 * x * (x - 1) * (2 * x - 1) / over_s**2,
    )


def window(seconds: float, duration_s: float | None, transition_s: float) -> Curve:
    """Return a curve that is 1 for `duration_s` (None: for ever), transitions included."""
    if duration_s is None or seconds < duration_s - transition_s:
        return rise(seconds, transition_s)
    fall = rise(seconds - (duration_s - transition_s), transition_s)
    return Curve(1 - fall.value, -fall.slope, -fall.bend)


def swing(seconds: float, frequency_hz: float, damping: float) -> Curve:
    """Return a sine that starts at 0 and decays with a damping ratio (0: it goes on)."""
    omega = 2 * math.pi * frequency_hz
    pole = complex(-damping * omega / math.sqrt(1 - damping * damping), omega)
    turn = cmath.exp(pole * seconds)
    return Curve(turn.imag, (pole * turn).imag, (pole * pole * turn).imag)


def trapezoid(seconds: float, height: float, rate: float, duration_s: float) -> Curve:
    """Return the integral of a trapezoid, the trapezoid, and its slope.

    It leaves 0 with `rate` (per second, positive) towards `height`, which may be negative,
    and is at 0 again after `duration_s`. After it the integral keeps its last value.
    """
    over = abs(height) / rate
    signed = math.copysign(rate, height)
    if seconds <= 0:
        return ZERO
    if seconds < over:
        return Curve(signed * seconds * seconds / 2, signed * seconds, signed)
    if seconds < duration_s - over:
        return Curve(height * (seconds - over / 2), height, 0.0)
    left = max(0.0, duration_s - seconds)
    area = height * (duration_s - over)
    return Curve(area - signed * left * left / 2, signed * left, -signed if left else 0.0)
