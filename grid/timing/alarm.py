"""An alarm at a time of the wall clock, to a fraction of a millisecond.

asyncio's timers count whole milliseconds of the monotonic clock. On Linux a timer of the
kernel (timerfd_create(2)) rings at the time of the wall clock itself, and also when the
clock is set; elsewhere asyncio's timers are used.
"""

import asyncio
import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

_NS = 1_000_000_000
_CLOCK_REALTIME = 0
_CREATE = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE, _CANCEL_ON_SET = 1, 2


class Alarm(Protocol):
    """Calls its function once for each set()."""

    def set(self, wall_ns: int) -> None:
        """Ring at a time, in ns since 1970-01-01 UTC, or at once if that is past."""

    def close(self) -> None:
        """Cancel the alarm and free its timer."""


def alarm(ring: Callable[[], None]) -> Alarm:
    """Return an alarm of the running event loop."""
    return _KernelAlarm(ring) if sys.platform == "linux" else _LoopAlarm(ring)


class _LoopAlarm:
    """An asyncio timer: up to a millisecond late, and it does not notice a clock that is set."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None

    def set(self, wall_ns: int) -> None:
        """See Alarm."""
        self.close()
        delay_s = max(0, wall_ns - time.time_ns()) / _NS
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def close(self) -> None:
        """See Alarm."""
        if self._timer is not None:
            self._timer.cancel()


class _KernelAlarm:
    """A timerfd on the wall clock."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_REALTIME, _CREATE)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"no timer from the kernel: {os.strerror(number)}")
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._rang)

    def set(self, wall_ns: int) -> None:
        """See Alarm."""
        # All zero would disarm the timer.
        setting = _Setting(0, 0, *divmod(max(1, wall_ns), _NS))
        self._libc.timerfd_settime(
            self._fd, _ABSOLUTE | _CANCEL_ON_SET, ctypes.byref(setting), None
        )

    def close(self) -> None:
        """See Alarm."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _rang(self) -> None:
        # Reading fails with ECANCELED when the clock was set, which rings the alarm too.
        with contextlib.suppress(OSError):
            os.read(self._fd, 8)
        self._ring()


class _Setting(ctypes.Structure):
    """struct itimerspec: interval and first expiry."""

    _fields_ = [
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    ]
