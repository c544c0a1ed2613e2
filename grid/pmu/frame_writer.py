"""Writes data frames of one PMU from plain numbers, fast enough for hundreds of PMUs.

c37118.write() and DataCodec do the same by way of typed records, and the tests hold this
against them. Where all numbers are floats, which is the usual format, the frame is packed at
once, at a third of the time.
"""

import cmath
import functools
import struct
from collections.abc import Callable, Sequence

from grid.c37118 import (
    BlockCodec,
    Configuration,
    Format,
    Measurement,
    Stamp,
    Stat,
    TimeQuality,
    write,
)
from grid.c37118.frames.envelope import SYNC_BYTE, crc
from grid.pmu.clock import ClockState

_HEAD = ">BBHHLL"


class FrameWriter:
    """Writes the data frames of a stream of one PMU."""

    def __init__(self, configuration: Configuration) -> None:
        (station,) = configuration.stations
        self._station = station
        self._block = BlockCodec(station)
        self._time_base = configuration.time_base
        self._nominal_hz = station.nominal_hz
        self._flat = _flattener(station.format)
        body = "H" + "ff" * len(station.phasors) + "ff" + "f" * len(station.analogs)
        pattern = _HEAD + body + "H" * len(station.digital_units)
        self._struct = struct.Struct(_HEAD if self._flat is None else pattern)
        # The head's 14 bytes, the block, and two bytes of CRC.
        size = 14 + self._block.size + 2
        self._words = (SYNC_BYTE, configuration.version, size, configuration.idcode)

    def frame(
        self,
        ns: int,
        clock_state: ClockState,
        stat: int,
        phasors: Sequence[complex],
        deviation_hz: float,
        rocof_hz_s: float,
        analogs: Sequence[float],
        digitals: Sequence[int],
    ) -> bytes:
        """Return the frame with a STAT word, stamped with a time in ns since 1970-01-01 UTC."""
        hertz = self._nominal_hz + deviation_hz
        stamp = _stamp(ns, self._time_base, clock_state.quality)
        if self._flat is None:
            measurement = Measurement(
                stat=Stat.from_word(stat),
                phasors=tuple(phasors),
                frequency_hz=hertz,
                rocof_hz_s=rocof_hz_s,
                analogs=tuple(analogs),
                digitals=tuple(digitals),
            )
            frame = self._struct.pack(*self._words, *stamp) + self._block.encode(
                write(self._station, measurement)
            )
        else:
            frame = self._struct.pack(
                *self._words, *stamp, stat, *self._flat(phasors), hertz, rocof_hz_s, *analogs,
                *digitals,
            )  # fmt: skip
        return frame + crc(frame).to_bytes(2, "big")


def _flattener(form: Format) -> Callable[[Sequence[complex]], list[float]] | None:
    """Return what makes floats of phasors, None where not all numbers are floats."""
    if not (form.float_phasors and form.float_frequency and form.float_analogs):
        return None
    return _polar if form.polar else _rectangular


def _rectangular(phasors: Sequence[complex]) -> list[float]:
    return [part for phasor in phasors for part in (phasor.real, phasor.imag)]


def _polar(phasors: Sequence[complex]) -> list[float]:
    return [part for phasor in phasors for part in cmath.polar(phasor)]


@functools.lru_cache(maxsize=16)
def _stamp(ns: int, time_base: int, quality: TimeQuality) -> tuple[int, int]:
    """Return SOC and FRACSEC, which many PMUs share."""
    return Stamp.from_ns(ns, time_base, quality).words()
