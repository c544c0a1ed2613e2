"""Transmitted numbers to volts, amperes and hertz, and back (6.5, table 6)."""

import cmath
import math
from dataclasses import dataclass

from grid.c37118.frames.data import PmuData
from grid.c37118.frames.scale import PhasorScale
from grid.c37118.frames.station import Format, PhasorUnit, Station
from grid.c37118.frames.station3 import Station3
from grid.c37118.frames.status import ABSENT, Stat

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
    """Analog values; unscaled with a CFG-2, whose ANUNIT leaves the scale to the user."""
    digitals: tuple[int, ...] = ()
    """Digital words of 16 bits."""


def read(station: Station | Station3, data: PmuData) -> Measurement:
    """Return the measurement in a PMU's block, in physical units."""
    form = station.format
    units: tuple[PhasorUnit | PhasorScale, ...] = station.phasor_units
    if form.float_frequency:
        frequency, rocof = data.frequency, data.rocof
    else:
        frequency = station.nominal_hz + _number(data.frequency) / 1000
        rocof = _number(data.rocof) / 100
    analogs = data.analogs if form.float_analogs else tuple(map(_number, data.analogs))
    if isinstance(station, Station3):
        pairs = zip(analogs, station.analog_units, strict=True)
        analogs = tuple(unit.scale * value + unit.offset for value, unit in pairs)
    return Measurement(
        stat=data.stat,
        phasors=tuple(
            [_read_phasor(form, unit, pair) for unit, pair in zip(units, data.phasors, strict=True)]
        ),
        frequency_hz=frequency,
        rocof_hz_s=rocof,
        analogs=analogs,
        digitals=data.digitals,
    )


def write(station: Station | Station3, measurement: Measurement) -> PmuData:
    """Return the block that carries `measurement` in the station's format.

    A value beyond an integer's range becomes the largest one, NaN the standard's 0x8000.
    """
    form = station.format
    units: tuple[PhasorUnit | PhasorScale, ...] = station.phasor_units
    if form.float_frequency:
        frequency, rocof = measurement.frequency_hz, measurement.rocof_hz_s
    else:
        frequency = _integer((measurement.frequency_hz - station.nominal_hz) * 1000)
        rocof = _integer(measurement.rocof_hz_s * 100)
    analogs = measurement.analogs
    if isinstance(station, Station3):
        pairs = zip(analogs, station.analog_units, strict=True)
        analogs = tuple((value - unit.offset) / (unit.scale or 1.0) for value, unit in pairs)
    return PmuData(
        measurement.stat,
        tuple(
            [
                _write_phasor(form, unit, phasor)
                for unit, phasor in zip(units, measurement.phasors, strict=True)
            ]
        ),
        frequency,
        rocof,
        analogs if form.float_analogs else tuple(map(_integer, analogs)),
        measurement.digitals,
    )


def absent(station: Station | Station3) -> PmuData:
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


def _read_phasor(
    form: Format, unit: PhasorUnit | PhasorScale, pair: tuple[float, float]
) -> complex:
    first, second = pair
    scale, angle_rad = unit.conversion(form)
    if form.float_phasors:
        if form.polar:
            return _polar(first * scale, second - angle_rad)
    elif form.polar:
        return _NAN if second == NO_VALUE else _polar(first * scale, second / 1e4 - angle_rad)
    elif NO_VALUE in pair:
        return _NAN
    phasor = complex(first * scale, second * scale)
    return phasor * _polar(1.0, -angle_rad) if angle_rad else phasor


def _write_phasor(
    form: Format, unit: PhasorUnit | PhasorScale, phasor: complex
) -> tuple[float, float]:
    scale, angle_rad = unit.conversion(form)
    # A scale of 0 is a configuration without one: 1e-5 V is the smallest there is.
    scale = scale or 1e-5
    if angle_rad:
        phasor *= _polar(1.0, angle_rad)
    if form.float_phasors:
        if not form.polar:
            return phasor.real / scale, phasor.imag / scale
        magnitude, angle_rad = cmath.polar(phasor)
        return magnitude / scale, angle_rad
    if not form.polar:
        return _integer(phasor.real / scale), _integer(phasor.imag / scale)
    if cmath.isnan(phasor):
        return 0x8000, NO_VALUE
    magnitude, angle_rad = cmath.polar(phasor)
    return round(min(magnitude / scale, 0xFFFF)), round(angle_rad * 1e4)


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
