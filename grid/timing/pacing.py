"""Calling a function at each reporting time of the wall clock."""

import logging
import time
from collections.abc import Callable

from grid.timing.alarm import Alarm, alarm
from grid.timing.slots import Slots

_LOG = logging.getLogger(__name__)

_MOST_LATE_NS = 1_000_000_000
"""A frame later than this is not sent: the clock was set, or the process was stopped."""
_SILENCE_S = 60.0
"""Between two messages about the clock."""


class Pacer:
    """Calls `emit(slot)` at the time of every slot, following the wall clock.

    Each deadline is a time of the wall clock itself, so that nothing drifts. A slot up to
    1 s late is still emitted. If the wall clock is set forward by more, or backward by more
    than one period, the pacer goes on with the next slot of the new time. A leap second is
    such a step: the clock of a computer shows 23:59:59 twice.
    """

    def __init__(
        self, slots: Slots, emit: Callable[[int], None], wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._slots = slots
        self._emit = emit
        self._wall_ns = wall_ns
        self._slot = 0
        self._alarm: Alarm | None = None
        self._silent_until_s = 0.0
        self.skipped = 0
        """Slots that were not emitted."""
        self.steps = 0
        """How often the pacer followed a step of the clock."""

    @property
    def next_ns(self) -> int:
        """The time of the next slot, in ns since 1970-01-01 UTC."""
        return self._slots.time_ns(self._slot)

    def start(self) -> None:
        """Start with the next slot; OSError where the kernel has no timer left."""
        self._slot = self._slots.following(self._wall_ns())
        self._alarm = alarm(self.tick)
        self._alarm.set(self.next_ns)

    def stop(self) -> None:
        """Stop emitting."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def tick(self) -> None:
        """Emit every due slot; the alarm, which calls it, may be early."""
        now = self._wall_ns()
        ahead = self._slots.time_ns(self._slot) - now
        if ahead > self._slots.period_ns or ahead < -_MOST_LATE_NS:
            following = self._slots.following(now)
            self.skipped += max(0, following - self._slot)
            self.steps += 1
            self._log_step(-ahead / 1e9)
            self._slot = following
        else:
            while self._slots.time_ns(self._slot) <= now:
                self._emit(self._slot)
                self._slot += 1
        if self._alarm is not None:
            self._alarm.set(self.next_ns)

    def _log_step(self, moved_s: float) -> None:
        """Log that the clock moved, at most once a minute."""
        now_s = time.monotonic()
        if now_s < self._silent_until_s:
            return
        self._silent_until_s = now_s + _SILENCE_S
        _LOG.warning(
            "the clock moved by %+.3f s against the timer (or this process was stopped), for "
            "the %d. time; going on with the frames of the new time",
            moved_s,
            self.steps,
        )
