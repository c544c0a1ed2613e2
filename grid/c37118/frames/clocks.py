"""Time on the wire: SOC, FRACSEC and the time quality (C37.118.2-2011, 6.2)."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

from grid.c37118.errors import FrameError

LOCKED = 0x0
"""MSG_TQ: normal operation, clock locked to a UTC-traceable source."""
UNRELIABLE = 0xF
"""MSG_TQ: the clock has failed, or its error is unknown."""

_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeQuality:
    """Bits 31-24 of FRACSEC."""

    code: int
    """MSG_TQ: 0 locked, 1..11 within 1 ns, 10 ns, ... 10 s of UTC, 15 unreliable."""
    leap_pending: bool = False
    """A leap second comes within the next minute."""
    leap_occurred: bool = False
    """A leap second happened within the last 24 hours."""
    leap_delete: bool = False
    """The leap second is deleted, not added."""
    reserved: bool = False
    """Bit 31; kept so that a decoded frame encodes to the same bytes."""

    @staticmethod
    @functools.cache
    def from_byte(value: int) -> "TimeQuality":
        """Return the quality that the high byte of FRACSEC says."""
        return TimeQuality(
            code=value & 0xF,
            leap_pending=bool(value & 0x10),
            leap_occurred=bool(value & 0x20),
            leap_delete=bool(value & 0x40),
            reserved=bool(value & 0x80),
        )

    def to_byte(self) -> int:
        """Return the high byte of FRACSEC."""
        if not 0 <= self.code <= 0xF:
            raise FrameError(f"time quality code {self.code} is not within 0..15")
        return (
            self.code
            | self.leap_pending << 4
            | self.leap_occurred << 5
            | self.leap_delete << 6
            | self.reserved << 7
        )


class Stamp(NamedTuple):
    """The time stamp of a frame; its fraction is counted in the TIME_BASE of the stream."""

    soc: int
    """Second of century: seconds since 1970-01-01 UTC, leap seconds not counted."""
    count: int  # type: ignore[assignment]  # Hides tuple.count(), which is of no use here.
    """Fraction of the second, in units of 1/TIME_BASE s, 0..16777215."""
    quality: TimeQuality
    """The quality of the sender's clock."""

    @classmethod
    def from_ns(cls, ns: int, time_base: int, quality: TimeQuality) -> "Stamp":
        """Return the stamp nearest to `ns`, nanoseconds since 1970-01-01 UTC."""
        soc, rest = divmod(ns, _NS)
        count = (rest * time_base + _NS // 2) // _NS
        if count >= time_base:
            soc, count = soc + 1, 0
        return cls(soc, count, quality)

    @classmethod
    def from_words(cls, soc: int, fracsec: int) -> "Stamp":
        """Return the stamp that the two 32-bit words SOC and FRACSEC say."""
        return cls(soc, fracsec & 0xFFFFFF, TimeQuality.from_byte(fracsec >> 24))

    def words(self) -> tuple[int, int]:
        """Return SOC and FRACSEC."""
        if not 0 <= self.soc <= 0xFFFFFFFF:
            raise FrameError(f"second of century {self.soc} does not fit into 32 bits")
        if not 0 <= self.count <= 0xFFFFFF:
            raise FrameError(f"fraction count {self.count} does not fit into 24 bits")
        return self.soc, self.quality.to_byte() << 24 | self.count

    def fraction(self, time_base: int) -> float:
        """Return the fraction of the second, in seconds."""
        return self.count / time_base

    def ns(self, time_base: int) -> int:
        """Return nanoseconds since 1970-01-01 UTC, rounded to the nearest."""
        return self.soc * _NS + (self.count * _NS + time_base // 2) // time_base
