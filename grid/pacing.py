"""Doing something at each reporting time of the wall clock."""

import asyncio
import logging
import time
from collections.abc import Callable

from grid.slots import Slots

_LOG = logging.getLogger(__name__)

_MOST_LATE_NS = 1_000_000_000
"""A frame later than this is not sent: the clock was set, or the process was stopped."""


class Pacer:
    """Calls `emit(slot)` at the time of every slot, following the wall clock.

    Each deadline is computed from the wall clock, so nothing drifts. A slot that is up
    to 1 s late is still emitted. If the wall clock is set forward by more, or backward by
    more than one period, the pacer goes on with the next slot of the new time.
    """

    def __init__(
        self, slots: Slots, emit: Callable[[int], None], wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._slots = slots
        self._emit = emit
        self._wall_ns = wall_ns
        self._slot = 0
        self._timer: asyncio.TimerHandle | None = None
        self.skipped = 0
        """Slots that were never emitted."""
        self.steps = 0
        """How often the pacer had to align itself anew."""

    def start(self) -> None:
        """Begin with the next slot."""
        self._slot = self._slots.following(self._wall_ns())
        self._schedule()

    def stop(self) -> None:
        """Emit no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def tick(self) -> None:
        """Emit every slot that is due; called by the timer."""
        now = self._wall_ns()
        ahead = self._slots.time_ns(self._slot) - now
        if ahead > self._slots.period_ns or ahead < -_MOST_LATE_NS:
            following = self._slots.following(now)
            self.skipped += max(0, following - self._slot)
            self.steps += 1
            _LOG.warning(
                "the clock moved by %+.3f s against the timer (or this process was stopped); "
                "going on with the frames of the new time",
                -ahead / 1e9,
            )
            self._slot = following
        else:
            while self._slots.time_ns(self._slot) <= now:
                self._emit(self._slot)
                self._slot += 1
        self._schedule()

    def _schedule(self) -> None:
        delay_s = max(0, self._slots.time_ns(self._slot) - self._wall_ns()) / 1e9
        self._timer = asyncio.get_running_loop().call_later(delay_s, self.tick)
