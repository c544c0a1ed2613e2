"""What the time stamp of a frame means, with all clocks in the test's hand."""

import pytest

from grid.pdc.alignment.timeline import Timeline, Timeliness, WaitPolicy

RATE = 50
BASE = 85_000_000_000


class Clock:
    """A timeline, the monotonic clock, and the local clock in slots after BASE."""

    def __init__(self, **wait: object) -> None:
        self.timeline = Timeline(WaitPolicy(lag_s=0.2, **wait), slots_per_s=RATE)
        self.now_s = 100.0
        self.local = 0.0
        self.last = 0
        """The slot that was published last, after BASE."""

    def judge(self, slot: float) -> Timeliness:
        verdict = self.timeline.judge(BASE + slot, BASE + self.last, self.now_s, BASE + self.local)
        if verdict is Timeliness.NEW_TIMELINE:
            self.last = slot - 1
        return verdict

    def go_on(self, seconds: float) -> None:
        self.now_s += seconds
        self.local += seconds * RATE


def test_a_frame_is_ahead_of_the_newest_time_stamp_by_the_lead_time_at_most():
    clock = Clock(lead_s=0.5)
    assert clock.judge(0) is Timeliness.NEW_TIMELINE
    assert clock.judge(26) is Timeliness.AHEAD
    assert clock.judge(25) is Timeliness.ON_TIME
    # Real time is what was taken last, and goes on while nothing comes.
    clock.go_on(0.1)
    assert clock.judge(25 + 25 + 5) is Timeliness.ON_TIME


def test_the_lead_time_does_not_grow_when_all_were_silent():
    clock = Clock(lead_s=0.1)
    clock.judge(0)
    clock.go_on(60)
    assert clock.judge(3000) is Timeliness.ON_TIME
    assert clock.judge(3006) is Timeliness.AHEAD


@pytest.mark.parametrize("drift", [1.001, 0.999])
def test_real_time_follows_senders_whose_clocks_drift_against_the_local_one(drift):
    clock = Clock(lead_s=0.1)
    clock.judge(0)
    for step in range(1, 20_000):
        clock.go_on(0.02 * drift)
        assert clock.judge(step) is Timeliness.ON_TIME
        clock.last = step
    assert clock.judge(20_000 + 6) is Timeliness.AHEAD


@pytest.mark.parametrize("step", [3600 * RATE, -3600 * RATE])
def test_a_new_timeline_begins_when_nothing_has_fitted_for_a_second(step):
    clock = Clock()
    clock.judge(0)
    wrong = Timeliness.AHEAD if step > 0 else Timeliness.BEHIND
    for slot in range(1, 50):
        clock.go_on(0.02)
        assert clock.judge(step + slot) is wrong
    clock.go_on(0.021)
    assert clock.judge(step + 50) is Timeliness.NEW_TIMELINE
    assert clock.judge(step + 51) is Timeliness.ON_TIME


def test_what_was_published_is_late():
    clock = Clock()
    clock.judge(10)
    clock.last = 12
    assert clock.judge(12) is Timeliness.LATE
    assert clock.judge(13) is Timeliness.ON_TIME


def test_with_the_absolute_wait_the_local_clock_is_real_time():
    clock = Clock(lead_s=0.5, absolute=True)
    clock.local = 1000
    assert clock.judge(1026) is Timeliness.AHEAD
    assert clock.judge(1000 - 10) is Timeliness.LATE, "the lag time of 10 slots is over"
    assert clock.judge(1000 - 9) is Timeliness.NEW_TIMELINE
    assert clock.judge(1025) is Timeliness.ON_TIME


@pytest.mark.parametrize("step", [3600 * RATE, -3600 * RATE])
def test_with_the_absolute_wait_a_step_of_the_local_clock_is_followed_at_once(step):
    clock = Clock(absolute=True)
    clock.judge(0)
    clock.last = 5
    clock.local = step + 5
    after = clock.judge(step + 5)
    assert after is (Timeliness.ON_TIME if step > 0 else Timeliness.NEW_TIMELINE)
    assert clock.judge(5) in (Timeliness.LATE, Timeliness.AHEAD)
