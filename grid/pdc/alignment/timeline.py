"""The timeline of the output: lag time, lead time, and clocks that step."""

import enum
from dataclasses import dataclass

_REBASE_S = 1.0
"""When no frame fitted the timeline for this long, the next one begins a new timeline."""
_NEAR_S = 5.0
"""The first frame has to be this near to the local clock, unless no such frame comes; and a
frame further behind than this is of a wrong clock and not a late one."""
_WINDOW_S = 1.0


@dataclass(frozen=True, kw_only=True)
class WaitPolicy:
    """The wait of rows for missing inputs: openPDC's columns of an OutputStream."""

    lag_s: float
    """LagTime: the longest wait for a row's frames."""
    lead_s: float = 1.0
    """LeadTime: a frame further in the future than this is not taken."""
    absolute: bool = False
    """UseLocalClockAsRealTime: the wait begins at the row's time stamp by the local clock,
    not with the row's first frame; and the future begins at the local clock's time, not at
    the newest time stamp."""
    preemptive: bool = True
    """AllowPreemptivePublishing: a row that no input can add to any more does not wait."""


class Timeliness(enum.Enum):
    """The place of a frame's time stamp on the timeline."""

    ON_TIME = enum.auto()
    LATE = enum.auto()
    """Its row has left, or may not wait any more."""
    AHEAD = enum.auto()
    """Further in the future than the lead time."""
    BEHIND = enum.auto()
    """So late that its clock must be wrong."""
    NEW_TIMELINE = enum.auto()
    """It begins a new timeline: clocks have stepped, or it is the first frame of all."""


class Timeline:
    """Tells frames of the right time from those of wrong clocks.

    With the relative wait no clock is trusted by itself: real time is the newest time stamp
    that was taken, and goes on with the monotonic clock. So one wrong clock disturbs no other
    input, and when all clocks step, the timeline follows after one second. With the absolute
    wait the local clock is real time, and the timeline follows its steps at once.

    Times are numbers of slots of the output (grid.timing.slots).
    """

    def __init__(self, wait: WaitPolicy, *, slots_per_s: float) -> None:
        self._rate = slots_per_s
        self.wait(wait)
        self._tried_s: float | None = None
        self._fitted_s: float | None = None
        # The largest distance from the monotonic clock to a time stamp, of this window of
        # one second and of the last: a clock that drifts is followed down as well as up.
        self._offset = self._offset_before = 0.0
        self._window_s = 0.0

    def wait(self, wait: WaitPolicy) -> None:
        """Change lag and lead."""
        self._absolute = wait.absolute
        self._lag = wait.lag_s * self._rate
        self._lead = wait.lead_s * self._rate
        self._near = max(_NEAR_S, wait.lead_s) * self._rate

    def judge(self, slot: int, last: int, now_s: float, wall_slot: float) -> Timeliness:
        """Judge a frame that arrives now.

        `last` is the slot that was published last, `now_s` the monotonic clock, `wall_slot`
        the local clock's time in slots.
        """
        if self._absolute:
            return self._judge_by_clock(slot, last, wall_slot)
        if self._fitted_s is None:
            if self._tried_s is None:
                self._tried_s = now_s
            if abs(slot - wall_slot) > self._near and now_s - self._tried_s < _REBASE_S:
                return Timeliness.AHEAD
            return self._begin(slot, now_s)
        offset = slot - now_s * self._rate
        if offset - max(self._offset, self._offset_before) > self._lead:
            timeliness = Timeliness.AHEAD
        elif slot <= last - self._near:
            timeliness = Timeliness.BEHIND
        else:
            self._fitted_s = now_s
            if now_s >= self._window_s:
                self._offset_before, self._offset = self._offset, offset
                self._window_s = now_s + _WINDOW_S
            elif offset > self._offset:
                self._offset = offset
            return Timeliness.ON_TIME if slot > last else Timeliness.LATE
        return self._begin(slot, now_s) if now_s - self._fitted_s >= _REBASE_S else timeliness

    def _begin(self, slot: int, now_s: float) -> Timeliness:
        self._fitted_s = now_s
        self._offset = self._offset_before = slot - now_s * self._rate
        self._window_s = now_s + _WINDOW_S
        return Timeliness.NEW_TIMELINE

    def _judge_by_clock(self, slot: int, last: int, wall_slot: float) -> Timeliness:
        if slot > wall_slot + self._lead:
            return Timeliness.AHEAD
        if slot + self._lag <= wall_slot:
            return Timeliness.LATE
        if self._fitted_s is None or last > wall_slot + self._lead:
            self._fitted_s = 0.0
            return Timeliness.NEW_TIMELINE
        return Timeliness.ON_TIME if slot > last else Timeliness.LATE
