"""The state of the clock that stamps frames, as FRACSEC and STAT report it.

A computer's clock is not traceable to UTC as far as this program knows, and by default the
frames say so. With `kernel` they repeat what the kernel's own clock discipline claims: it is
told by chrony, ntpd or ptp4l how far the clock may be off, and adds the drift since then.
"""

import bisect
import ctypes
import functools
import math
import sys
from dataclasses import dataclass, replace
from typing import Protocol

from grid.c37118 import LOCKED, QUALITY_UNKNOWN, UNRELIABLE, Stat, TimeQuality
from grid.pmu.signals.schedule import NS

_PENDING_S = 60.0
_DAY_S = 86_400
_BOUNDS_S = tuple(10.0**exponent for exponent in range(-9, 2))
"""MSG_TQ 1 to 11: within 1 ns, 10 ns, ... 10 s of UTC (C37.118.2-2011, table 4)."""
_PMU_BOUNDS_S = (100e-9, 1e-6, 10e-6, 100e-6, 1e-3, 10e-3)
"""PMU_TQ 1 to 6: estimated maximum time error below these (table 7)."""

_TIME_INS, _TIME_DEL, _TIME_OOP, _TIME_WAIT, _TIME_ERROR = 1, 2, 3, 4, 5
"""States of the kernel's clock: a leap second is added or left out at the end of this day, is
now, was; and the clock is not synchronised."""
_STA_UNSYNC = 0x0040


@dataclass(frozen=True, kw_only=True)
class LeapSecond:
    """A leap second that the frames announce."""

    ns: int
    """The first instant after it: a midnight of UTC, ns since 1970-01-01."""
    delete: bool = False
    """It is left out, not added."""

    def mark(self, quality: TimeQuality, ns: int) -> TimeQuality:
        """Return the quality with the bits of a time: pending for 1 min, occurred for 24 h."""
        since = (ns - self.ns) / NS
        if not -_PENDING_S <= since < _DAY_S:
            return quality
        return replace(
            quality,
            leap_pending=since < 0,
            leap_occurred=since >= 0,
            leap_delete=self.delete,
        )


@dataclass(frozen=True, kw_only=True)
class ClockState:
    """The state of a clock, as frames report it."""

    quality: TimeQuality
    """For FRACSEC."""
    synchronized: bool
    """STAT bit 13, inverted."""
    pmu_quality: int
    """STAT bits 8-6."""
    unlocked: int
    """STAT bits 5-4."""

    @functools.cached_property
    def stat(self) -> Stat:
        """The STAT of good data under this clock."""
        return Stat(
            synchronized=self.synchronized,
            time_quality=self.pmu_quality,
            unlocked=self.unlocked,
        )

    @functools.cached_property
    def stat_word(self) -> int:
        """The same as 16 bits."""
        return self.stat.to_word()


UNKNOWN = ClockState(
    quality=TimeQuality(code=UNRELIABLE),
    synchronized=False,
    pmu_quality=QUALITY_UNKNOWN,
    unlocked=3,
)
"""The state of a clock that is not known to be traceable to UTC."""


def within(error_s: float) -> ClockState:
    """Return the claim that the clock is synchronised, and off by at most `error_s`.

    0 claims what a GPS receiver's lock does: MSG_TQ 0, and PMU_TQ 1 (below 100 ns).
    """
    if error_s == 0:
        return ClockState(
            quality=TimeQuality(code=LOCKED), synchronized=True, pmu_quality=1, unlocked=0
        )
    if error_s > _BOUNDS_S[-1] or math.isnan(error_s):
        return UNKNOWN
    # A hair of tolerance, so that 1e-6 is "within 1 us" whatever the last binary digit says.
    code = 1 + bisect.bisect_left(_BOUNDS_S, error_s * (1 - 1e-9))
    return ClockState(
        quality=TimeQuality(code=code),
        synchronized=True,
        pmu_quality=1 + bisect.bisect_right(_PMU_BOUNDS_S, error_s),
        unlocked=0,
    )


class Clock(Protocol):
    """Tells the state of the clock that stamps frames."""

    def state(self, ns: int) -> ClockState:
        """Return the state for the frame of a time, in ns since 1970-01-01 UTC."""


class FixedClock:
    """A clock whose state a scenario gives."""

    def __init__(self, state: ClockState, leap: LeapSecond | None = None) -> None:
        self._state = state
        self._leap = leap

    def state(self, ns: int) -> ClockState:
        """Return the state for the frame of a time, in ns since 1970-01-01 UTC."""
        if self._leap is None:
            return self._state
        quality = self._leap.mark(self._state.quality, ns)
        return (
            self._state if quality is self._state.quality else replace(self._state, quality=quality)
        )


class KernelClock:
    """The clock as the kernel's discipline sees it, read once a second (Linux)."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux tells how good its clock is; leave the clock unknown")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._second = -1
        self._state = UNKNOWN

    def state(self, ns: int) -> ClockState:
        """Return what the kernel claims, at most a second old; UNKNOWN without a discipline."""
        if ns // NS != self._second:
            self._second = ns // NS
            timex = _Timex()
            state = self._libc.adjtimex(ctypes.byref(timex))
            self._state = judge(state, timex.status, timex.maxerror, ns)
        return self._state


def judge(state: int, status: int, maxerror_us: int, ns: int) -> ClockState:
    """Return what adjtimex(2) amounts to: its result, its status bits, its maximum error.

    The kernel knows of a leap second for a day, the standard's bit is for the last minute.
    """
    if state in (-1, _TIME_ERROR) or status & _STA_UNSYNC:
        return UNKNOWN
    # 0 us is below the kernel's resolution, and no claim of a lock.
    claimed = within(max(1, maxerror_us) / 1e6)
    last_minute = ns // NS % _DAY_S >= _DAY_S - _PENDING_S
    quality = replace(
        claimed.quality,
        leap_pending=state == _TIME_OOP or (state in (_TIME_INS, _TIME_DEL) and last_minute),
        leap_occurred=state == _TIME_WAIT,
        leap_delete=state == _TIME_DEL,
    )
    return replace(claimed, quality=quality)


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); `modes` 0 only reads."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_s", ctypes.c_long),
        ("time_us", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_byte * 128),
    ]
