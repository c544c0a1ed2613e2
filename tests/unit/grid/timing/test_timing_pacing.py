"""Reporting times, and a pacer whose clock the test sets."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.timing.pacing import Pacer
from grid.timing.slots import Slots

S = 1_000_000_000


@pytest.mark.parametrize("rate", [1, 10, 12, 25, 30, 50, 60, 120])
def test_frame_k_of_a_second_stands_at_k_over_rate(rate):
    slots = Slots(rate)
    first = slots.nearest(1_700_000_000 * S)
    assert [slots.time_ns(first + k) for k in range(rate + 1)] == [
        1_700_000_000 * S + k * S // rate for k in range(rate + 1)
    ]


def test_a_rate_below_zero_has_a_slot_each_so_many_seconds():
    slots = Slots(-5)
    assert slots.period_ns == 5 * S
    assert slots.time_ns(slots.nearest(1_700_000_004 * S)) == 1_700_000_005 * S
    assert slots.time_ns(slots.following(1_700_000_000 * S)) == 1_700_000_005 * S


@given(st.sampled_from([-60, -5, 1, 7, 25, 30, 50, 60, 1000]), st.integers(0, 2**32 * S))
def test_nearest_and_following_agree_with_the_times(rate, ns):
    slots = Slots(rate)
    nearest, following = slots.nearest(ns), slots.following(ns)
    assert abs(slots.time_ns(nearest) - ns) <= slots.period_ns // 2 + 1
    assert slots.time_ns(following - 1) <= ns
    assert slots.time_ns(following) > ns - 1
    assert slots.nearest(slots.time_ns(nearest)) == nearest


class Clock:
    """A wall clock that the test moves."""

    def __init__(self, seconds: float) -> None:
        self.ns = round(seconds * S)

    def __call__(self) -> int:
        return self.ns


def paced(steps):
    """Run a 50 Hz pacer through clock times, one tick each; return emitted times and pacer."""

    async def run():
        clock, emitted, slots = Clock(1000.0), [], Slots(50)
        pacer = Pacer(slots, lambda slot: emitted.append(slots.time_ns(slot) / S), clock)
        pacer.start()
        for seconds in steps:
            clock.ns = round(seconds * S)
            pacer.tick()
        pacer.stop()
        return emitted, pacer

    return asyncio.run(run())


def test_frames_leave_in_their_time_and_never_before():
    emitted, pacer = paced([1000.0199, 1000.0201, 1000.039, 1000.04, 1000.061])
    assert emitted == [1000.02, 1000.04, 1000.06]
    assert (pacer.skipped, pacer.steps) == (0, 0)


def test_frames_that_are_late_are_caught_up():
    emitted, pacer = paced([1000.5])
    assert emitted == pytest.approx([1000 + k / 50 for k in range(1, 26)])
    assert pacer.skipped == 0


@pytest.mark.parametrize("now", [1003.5, 5000.0, 999.0, 10.0])
def test_a_clock_step_is_followed_and_said(now, caplog):
    emitted, pacer = paced([1000.021, now, now + 0.021])
    assert emitted == pytest.approx([1000.02, now + 0.02])
    assert pacer.steps == 1
    assert "the clock moved by" in caplog.text


def test_a_leap_second_is_sent_twice_as_the_clock_says_it(caplog):
    # 23:59:59 once more: the clock of a computer goes back by a second.
    emitted, pacer = paced([1000.021, 1000.041, 999.041, 999.061, 999.081])
    assert emitted == pytest.approx([1000.02, 1000.04, 999.06, 999.08])
    assert pacer.steps == 1


def test_a_clock_that_jumps_again_and_again_is_counted_and_told_once(caplog):
    _, pacer = paced([2000.0, 1000.0, 2000.0, 1000.0, 2000.0])
    assert pacer.steps == 5
    assert caplog.text.count("the clock moved by") == 1


def test_a_clock_that_is_a_little_early_is_waited_for():
    emitted, pacer = paced([1000.02, 1000.021, 1000.03, 1000.04])
    assert emitted == [1000.02, 1000.04]
    assert pacer.steps == 0
