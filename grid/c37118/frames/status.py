"""STAT, the status word of one PMU's data (C37.118.2-2011, table 7)."""

import enum
import functools
from dataclasses import dataclass

from grid.c37118.errors import FrameError


class DataError(enum.IntEnum):
    """Bits 15-14."""

    GOOD = 0
    PMU_ERROR = 1
    """PMU error, no information about data."""
    ABSENT = 2
    """PMU in test mode, or the data are absent and filled in: do not use the values."""
    INVALID = 3
    """PMU error: do not use the values."""


QUALITY_UNKNOWN = 7
"""PMU_TQ: the maximum time error is above 10 ms, or unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stat:
    """All 16 bits of STAT."""

    data_error: DataError = DataError.GOOD
    """Bits 15-14: whether the values may be used."""
    synchronized: bool = True
    """Bit 13, inverted: the PMU is in sync with a UTC-traceable time source."""
    sorted_by_arrival: bool = False
    """Bit 12: the data are sorted by arrival, not by time stamp."""
    trigger: bool = False
    """Bit 11: a PMU trigger is detected."""
    configuration_change: bool = False
    """Bit 10: the configuration changes or changed; set for one minute."""
    modified: bool = False
    """Bit 9: a post-processing modified the data."""
    time_quality: int = 0
    """Bits 8-6, PMU_TQ: 1 below 100 ns, 2 1 us, 3 10 us, 4 100 us, 5 1 ms, 6 10 ms, 7 worse
    or unknown, 0 not used (2005)."""
    unlocked: int = 0
    """Bits 5-4, time without lock: 0 below 10 s (or locked), 1 below 100 s, 2 below 1000 s,
    3 longer."""
    trigger_reason: int = 0
    """Bits 3-0: 0 manual, 1 magnitude low, 2 magnitude high, 3 phase angle, 4 frequency,
    5 df/dt, 7 digital."""

    @staticmethod
    @functools.cache
    def from_word(word: int) -> "Stat":
        """Return what the 16-bit word says."""
        return Stat(
            data_error=DataError(word >> 14),
            synchronized=not word & 0x2000,
            sorted_by_arrival=bool(word & 0x1000),
            trigger=bool(word & 0x0800),
            configuration_change=bool(word & 0x0400),
            modified=bool(word & 0x0200),
            time_quality=word >> 6 & 7,
            unlocked=word >> 4 & 3,
            trigger_reason=word & 0xF,
        )

    def to_word(self) -> int:
        """Return the 16-bit word."""
        if self.time_quality not in range(8):
            raise FrameError(f"PMU time quality {self.time_quality} is not within 0..7")
        if self.unlocked not in range(4):
            raise FrameError(f"unlocked time {self.unlocked} is not within 0..3")
        if self.trigger_reason not in range(16):
            raise FrameError(f"trigger reason {self.trigger_reason} is not within 0..15")
        return (
            self.data_error << 14
            | (not self.synchronized) << 13
            | self.sorted_by_arrival << 12
            | self.trigger << 11
            | self.configuration_change << 10
            | self.modified << 9
            | self.time_quality << 6
            | self.unlocked << 4
            | self.trigger_reason
        )


ABSENT = Stat(data_error=DataError.ABSENT, synchronized=False, time_quality=QUALITY_UNKNOWN)
"""STAT of a PMU whose data are missing, as a PDC fills it in."""
