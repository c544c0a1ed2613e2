"""What the simulated PMU sees: a three-phase line whose frequency wanders a little.

Everything is a pure function of time and seed, so PMUs with one seed see one grid, and
a PMU that was restarted goes on where its predecessor would be.
"""

import cmath
import math
import random

from grid.c37118 import Measurement, Stat

VOLTAGE_V = 132_000 / math.sqrt(3)
"""Phase voltage of a 132 kV line."""
CURRENT_A = 400.0
_POWER_FACTOR_RAD = 0.3
_PHASES_RAD = (0.0, -2 * math.pi / 3, 2 * math.pi / 3)
_NOISE = 1e-4
"""Standard deviation of the relative noise on each phasor."""
_WANDER = ((0.012, 61.0), (0.006, 17.0), (0.002, 5.3))
"""Amplitude in Hz and period in s of the waves that make up the frequency deviation."""
_TABLE = 4093
"""Entries of the noise table; a prime, so that channels do not repeat together."""

CHANNELS = ("VA", "VB", "VC", "IA", "IB", "IC")


class Line:
    """The phasors, frequency and ROCOF at one end of a line."""

    def __init__(self, *, nominal_hz: float, seed: int, place: int) -> None:
        grid = random.Random(f"grid {seed}")  # noqa: S311 - a signal, not a secret
        local = random.Random(f"place {seed} {place}")  # noqa: S311
        self._nominal_hz = nominal_hz
        self._waves = tuple(
            (amplitude, 2 * math.pi / period, grid.uniform(0, 2 * math.pi))
            for amplitude, period in _WANDER
        )
        angle = local.uniform(-0.5, 0.5)
        load = local.uniform(0.6, 1.0)
        self._base = tuple(
            [cmath.rect(VOLTAGE_V, angle + phase) for phase in _PHASES_RAD]
            + [
                cmath.rect(CURRENT_A * load, angle + phase - _POWER_FACTOR_RAD)
                for phase in _PHASES_RAD
            ]
        )
        self._noise = tuple(
            complex(1 + local.gauss(0, _NOISE), local.gauss(0, _NOISE)) for _ in range(_TABLE)
        )

    def at(self, ns: int, stat: Stat) -> Measurement:
        """Return the measurement at a time, in nanoseconds since 1970-01-01 UTC."""
        seconds = ns / 1e9
        deviation = rocof = angle = 0.0
        for amplitude, omega, start in self._waves:
            wave = omega * seconds + start
            deviation += amplitude * math.sin(wave)
            rocof += amplitude * omega * math.cos(wave)
            # The angle is the integral of 2 pi times the deviation.
            angle -= 2 * math.pi * amplitude / omega * math.cos(wave)
        turn = cmath.rect(1.0, angle)
        first = ns // 1_000_000 * len(self._base)
        return Measurement(
            stat=stat,
            phasors=tuple(
                base * turn * self._noise[(first + channel) % _TABLE]
                for channel, base in enumerate(self._base)
            ),
            frequency_hz=self._nominal_hz + deviation,
            rocof_hz_s=rocof,
        )
