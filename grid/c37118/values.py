"""From numbers on the wire to volts, amperes and hertz, and back (6.5, table 6)."""

import cmath
import math
from dataclasses import dataclass

from grid.c37118.data import PmuData
from grid.c37118.station import Station
from grid.c37118.status import ABSENT, Stat

NO_VALUE = -0x8000
"""0x8000, the integer that stands for an absent value; NaN is its float counterpart."""

_NAN = complex(math.nan, math.nan)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One PMU's block in physical units; NaN where a value is absent."""

    stat: Stat
    """How good the data are."""
    phasors: tuple[complex, ...]
    """In V and A, rms."""
    frequency_hz: float
    """The frequency itself, in Hz."""
    rocof_hz_s: float
    """Rate of change of frequency, in Hz/s."""
    analogs: tuple[float, ...] = ()
    """Analog values without a scale: ANUNIT leaves it to the user."""
    digitals: tuple[int, ...] = ()
    """Digital words of 16 bits."""


def read(station: Station, data: PmuData) -> Measurement:
    """Return the measurement that a PMU's block carries."""
    form = station.format
    if form.float_frequency:
        frequency, rocof = data.frequency, data.rocof
    else:
        frequency = station.nominal_hz + _number(data.frequency) / 1000
        rocof = _number(data.rocof) / 100
    return Measurement(
        stat=data.stat,
        phasors=tuple(
            _read_phasor(station, index, pair) for index, pair in enumerate(data.phasors)
        ),
        frequency_hz=frequency,
        rocof_hz_s=rocof,
        analogs=data.analogs if form.float_analogs else tuple(map(_number, data.analogs)),
        digitals=data.digitals,
    )


def write(station: Station, measurement: Measurement) -> PmuData:
    """Return the block that says `measurement` in the station's format.

    A value beyond an integer's range becomes the largest one, NaN the standard's 0x8000.
    """
    form = station.format
    if form.float_frequency:
        frequency, rocof = measurement.frequency_hz, measurement.rocof_hz_s
    else:
        frequency = _integer((measurement.frequency_hz - station.nominal_hz) * 1000)
        rocof = _integer(measurement.rocof_hz_s * 100)
    analogs = measurement.analogs
    return PmuData(
        stat=measurement.stat,
        phasors=tuple(
            _write_phasor(station, index, phasor)
            for index, phasor in enumerate(measurement.phasors)
        ),
        frequency=frequency,
        rocof=rocof,
        analogs=analogs if form.float_analogs else tuple(map(_integer, analogs)),
        digitals=measurement.digitals,
    )


def absent(station: Station) -> PmuData:
    """Return the block of a PMU without data: STAT 10, NaN or 0x8000, digital words 0."""
    nothing = Measurement(
        stat=ABSENT,
        phasors=(_NAN,) * len(station.phasors),
        frequency_hz=math.nan,
        rocof_hz_s=math.nan,
        analogs=(math.nan,) * len(station.analogs),
        digitals=(0,) * len(station.digital_units),
    )
    return write(station, nothing)


def _read_phasor(station: Station, index: int, pair: tuple[float, float]) -> complex:
    first, second = pair
    if station.format.float_phasors:
        return _polar(first, second) if station.format.polar else complex(first, second)
    scale = station.phasor_units[index].scale
    if second == NO_VALUE:
        return _NAN
    if station.format.polar:
        return _polar(first * scale, second / 1e4)
    return _NAN if first == NO_VALUE else complex(first * scale, second * scale)


def _write_phasor(station: Station, index: int, phasor: complex) -> tuple[float, float]:
    form = station.format
    if form.float_phasors:
        return cmath.polar(phasor) if form.polar else (phasor.real, phasor.imag)
    # A factor of 0 is a configuration without a scale: 1e-5 V is the smallest there is.
    scale = station.phasor_units[index].scale or 1e-5
    if not form.polar:
        return _integer(phasor.real / scale), _integer(phasor.imag / scale)
    if cmath.isnan(phasor):
        return 0x8000, NO_VALUE
    magnitude, angle = cmath.polar(phasor)
    return round(min(magnitude / scale, 0xFFFF)), round(angle * 1e4)


def _polar(magnitude: float, angle: float) -> complex:
    # cmath.rect refuses an infinite magnitude or angle, which a float on the wire may be.
    if not (math.isfinite(magnitude) and math.isfinite(angle)):
        return _NAN
    return cmath.rect(magnitude, angle)


def _number(raw: float) -> float:
    return math.nan if raw == NO_VALUE else raw


def _integer(value: float) -> int:
    if math.isnan(value):
        return NO_VALUE
    return round(max(-0x7FFF, min(0x7FFF, value)))
