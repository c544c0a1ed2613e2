"""What frames claim about the clock."""

import sys

import pytest

from grid.c37118 import QUALITY_UNKNOWN, UNRELIABLE
from grid.pmu import clock
from grid.pmu.clock import UNKNOWN, KernelClock, judge, within
from grid.pmu.signals.schedule import NS

NOON = 1_700_049_600 * NS
LAST_MINUTE = 1_700_092_740 * NS
"""23:59:00 of the same day."""
UNSYNC = 0x40


@pytest.mark.parametrize(
    ("error_s", "code", "pmu_quality"),
    [
        (0, 0, 1),
        (1e-9, 1, 1),
        (50e-9, 3, 1),
        (100e-9, 3, 2),
        (1e-6, 4, 3),
        (30e-6, 6, 4),
        (2e-3, 8, 6),
        (0.01, 8, 7),
        (0.5, 10, 7),
        (10, 11, 7),
    ],
)
def test_an_error_bound_becomes_the_codes_of_the_standard(error_s, code, pmu_quality):
    clock_state = within(error_s)
    assert (clock_state.quality.code, clock_state.pmu_quality) == (code, pmu_quality)
    assert clock_state.synchronized
    assert clock_state.stat.time_quality == pmu_quality


def test_a_bound_above_ten_seconds_is_no_claim():
    assert within(10.1) is UNKNOWN


@pytest.mark.parametrize(("state", "status"), [(5, 0), (-1, 0), (0, UNSYNC), (5, UNSYNC)])
def test_a_kernel_without_a_synchronised_clock_claims_nothing(state, status):
    clock_state = judge(state, status, 10, NOON)
    assert clock_state is UNKNOWN
    assert clock_state.quality.code == UNRELIABLE
    assert clock_state.stat.time_quality == QUALITY_UNKNOWN
    assert not clock_state.stat.synchronized


@pytest.mark.parametrize(("maxerror_us", "code"), [(0, 4), (1, 4), (900, 7), (16_000, 9)])
def test_a_synchronised_kernel_is_taken_at_its_word_and_never_as_locked(maxerror_us, code):
    assert judge(0, 0, maxerror_us, NOON).quality.code == code


@pytest.mark.parametrize(
    ("state", "ns", "bits"),
    [
        (1, NOON, (False, False, False)),
        (1, LAST_MINUTE, (True, False, False)),
        (2, LAST_MINUTE, (True, False, True)),
        (3, LAST_MINUTE, (True, False, False)),
        (4, NOON, (False, True, False)),
    ],
)
def test_the_kernels_leap_second_is_told_in_its_last_minute(state, ns, bits):
    quality = judge(state, 0, 100, ns).quality
    assert (quality.leap_pending, quality.leap_occurred, quality.leap_delete) == bits


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex(2) is Linux'")
def test_the_kernel_is_asked_once_a_second(monkeypatch):
    asked = []
    monkeypatch.setattr(clock, "judge", lambda *_: asked.append(1) or UNKNOWN)
    kernel = KernelClock()
    for ns in (NOON, NOON + 1, NOON + NS - 1, NOON + NS):
        assert kernel.state(ns) is UNKNOWN
    assert len(asked) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex(2) is Linux'")
def test_the_kernels_answer_has_the_layout_that_is_read(monkeypatch):
    seen = []
    monkeypatch.setattr(clock, "judge", lambda *answer: seen.append(answer) or UNKNOWN)
    KernelClock().state(NOON)
    ((state, status, maxerror_us, _),) = seen
    assert 0 <= state <= 5
    assert 0 <= status < 1 << 16
    assert 0 <= maxerror_us <= 16_000_000
