"""Signals as pure functions of time whose frequency and ROCOF belong to their phase."""

import cmath
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.pmu.signals import shapes
from grid.pmu.signals.disturbance import FrequencyRamp, MagnitudeStep, Oscillation, PhaseStep
from grid.pmu.signals.schedule import NS, Schedule, Span
from grid.pmu.signals.signal import (
    AmbientFrequency,
    DisturbedSignal,
    LineLevel,
    LineSignal,
    Noise,
    shared,
)

START = 1_700_000_000 * NS
ONCE = Schedule(first_ns=START)
EACH_MINUTE = Schedule(first_ns=5 * NS, repeat_ns=60 * NS)

PHASE_STEP = PhaseStep(schedule=ONCE, duration_s=5.0, angle_deg=10, transition_s=0.04)
SAG = MagnitudeStep(
    schedule=ONCE, duration_s=2.0, voltage_percent=-40, current_percent=150, phases=(0,),
    transition_s=0.04,
)  # fmt: skip
SWING = Oscillation(
    schedule=ONCE, duration_s=30.0, frequency_hz=0.4, angle_deg=5, voltage_percent=2, damping=0.05
)
RAMP = FrequencyRamp(schedule=ONCE, duration_s=8.0, deviation_hz=-0.5, rate_hz_s=0.25)


def line(*, seed=1, place=1, wander_hz=0.02, level=None):
    ambient = AmbientFrequency(seed=seed, wander_hz=wander_hz)
    return LineSignal(ambient=ambient, level=level or LineLevel(), seed=seed, place=place)


def phase(source, ns):
    return cmath.phase(source.at(ns).phasors[0])


def turned(source, ns, step_ns):
    """Return how far the phase turns within a step, in turns."""
    return math.remainder(phase(source, ns + step_ns) - phase(source, ns), math.tau) / math.tau


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ((), range(-30, 300, 7)),
        ((PHASE_STEP,), [0.001 + 0.004 * k for k in range(12)] + [4.97, 4.99, 6]),
        ((SWING,), [0.31 * k for k in range(110)]),
        ((RAMP,), [0.23 * k for k in range(1, 40)]),
        ((PHASE_STEP, SAG, SWING, RAMP), [0.171 * k for k in range(1, 180)]),
    ],
)
def test_frequency_and_rocof_are_the_derivatives_of_the_reported_phase(events, seconds):
    source = DisturbedSignal(line(), [(event, 0.7) for event in events])
    step = 100_000  # 0.1 ms
    for second in seconds:
        ns = START + round(second * NS)
        now, before, after = (source.at(ns + shift) for shift in (0, -step, step))
        slope = turned(source, ns - step, 2 * step) * NS / (2 * step)
        assert now.deviation_hz == pytest.approx(slope, abs=1e-4)
        # A ramp's ROCOF jumps at its corners; this time is not within 0.1 ms of one.
        change = (after.deviation_hz - before.deviation_hz) * NS / (2 * step)
        assert now.rocof_hz_s == pytest.approx(change, rel=1e-3, abs=2e-3)


def test_the_line_is_a_balanced_three_phase_system_that_stays_near_nominal():
    source = line(
        level=LineLevel(voltage_v=76_000, current_a=300, angle_deg=20, power_factor_deg=10)
    )
    for second in range(0, 300, 7):
        sample = source.at(START + second * NS)
        assert abs(sum(sample.phasors[:3])) < 1e-6 * 76_000
        assert [abs(value) for value in sample.phasors] == pytest.approx([76_000] * 3 + [300] * 3)
        lag = cmath.phase(sample.phasors[0] / sample.phasors[3])
        assert math.degrees(lag) == pytest.approx(10)
        assert abs(sample.deviation_hz) <= 0.02


def test_a_restarted_pmu_goes_on_where_its_predecessor_was():
    events = [PHASE_STEP, SAG, SWING, RAMP]
    ns = START + 1_234_567_890
    one, other = (DisturbedSignal(line(), [(event, 1.0) for event in events]) for _ in range(2))
    one.at(ns - NS)
    assert one.at(ns) == other.at(ns)


def test_pmus_of_one_seed_see_one_frequency_at_different_places():
    here, there, elsewhere = (
        line(seed=seed, place=place).at(START) for seed, place in ((1, 1), (1, 2), (2, 1))
    )
    assert here.deviation_hz == there.deviation_hz != elsewhere.deviation_hz
    assert here.phasors != there.phasors


def test_a_phase_step_turns_by_its_size_and_back():
    calm, source = line(), DisturbedSignal(line(), [(PHASE_STEP, 1.0)])
    angles = [
        math.degrees(cmath.phase(source.at(ns).phasors[4] / calm.at(ns).phasors[4]))
        for ns in (START - 1, START + NS // 10, START + 4 * NS, START + 5 * NS)
    ]
    assert angles == pytest.approx([0, 10, 10, 0], abs=1e-6)


def test_a_sag_touches_its_phase_only():
    calm, source = line().at(START + NS), DisturbedSignal(line(), [(SAG, 1.0)]).at(START + NS)
    ratios = [abs(one / other) for one, other in zip(source.phasors, calm.phasors, strict=True)]
    assert ratios == pytest.approx([0.6, 1, 1, 2.5, 1, 1])


def test_areas_swing_against_each_other_and_calm_down():
    north, south = (DisturbedSignal(line(wander_hz=0), [(SWING, share)]) for share in (1.0, -1.0))
    calm = line(wander_hz=0)
    peaks = []
    for period in (2, 8):
        swings = []
        for k in range(100):
            ns = START + round((period + k / 100) * 2.5 * NS)
            turns = [cmath.phase(one.at(ns).phasors[0] / calm.at(ns).phasors[0])
                     for one in (north, south)]  # fmt: skip
            assert turns[0] == pytest.approx(-turns[1], abs=1e-9)
            swings.append(turns[0])
        peaks.append(max(swings))
    # Six periods with a damping ratio of 0.05 leave e^(-2 pi 6 0.05) of the amplitude.
    expected = math.exp(-12 * math.pi * 0.05 / math.sqrt(1 - 0.05**2))
    assert peaks[1] / peaks[0] == pytest.approx(expected, rel=1e-2)


def test_a_ramp_holds_its_frequency_returns_and_keeps_the_phase_it_gathered():
    source = DisturbedSignal(line(wander_hz=0), [(RAMP, 1.0)])
    at = [source.at(START + round(second * NS)) for second in (1, 4, 7, 9)]
    assert [sample.deviation_hz for sample in at] == pytest.approx([-0.25, -0.5, -0.25, 0])
    assert [sample.rocof_hz_s for sample in at] == pytest.approx([-0.25, 0, 0.25, 0])
    # -0.5 Hz over 6 s (trapezoid) are three whole turns.
    assert phase(source, START + 9 * NS) == pytest.approx(phase(source, START - NS))


def test_ramps_that_repeat_leave_no_jump_behind():
    ramp = FrequencyRamp(schedule=EACH_MINUTE, duration_s=7.0, deviation_hz=0.31, rate_hz_s=0.4)
    source = DisturbedSignal(line(wander_hz=0), [(ramp, 1.0)])
    begin = START // (60 * NS) * 60 * NS + 5 * NS
    for ns in (begin, begin + 60 * NS, begin + 7 * NS):
        assert turned(source, ns - 1000, 2000) == pytest.approx(0, abs=1e-6)
    assert source.at(begin + 3 * NS).deviation_hz == pytest.approx(0.31)


@given(
    st.floats(0.001, 100), st.floats(0.001, 100), st.one_of(st.none(), st.floats(0, 1000)),
    st.floats(-10, 1200),
)  # fmt: skip
def test_a_window_stays_within_0_and_1(transition, extra, duration, seconds):
    lasting = None if duration is None else 2 * transition + extra + duration
    assert -1e-12 <= shapes.window(seconds, lasting, transition).value <= 1 + 1e-12


def test_noise_is_a_function_of_time_with_the_deviation_that_was_asked_for():
    noise = Noise(seed=1, deviation=1e-3)
    again = Noise(seed=1, deviation=1e-3)
    errors = []
    for k, place in itertools.product(range(500), (1, 2)):
        ns = START + k * 20_000_000
        assert noise.at(ns, place) == again.at(ns, place)
        errors += [factor - 1 for factor in noise.at(ns, place)]
    assert noise.at(START, 1) != noise.at(START, 2)
    parts = [part for error in errors for part in (error.real, error.imag)]
    assert math.sqrt(sum(part * part for part in parts) / len(parts)) == pytest.approx(
        1e-3, rel=0.1
    )
    assert Noise(seed=1, deviation=0).silent


def test_a_shared_event_is_computed_once_a_time():
    asked = []

    class Counted:
        def at(self, ns):
            asked.append(ns)
            return SAG.at(ns)

    event = shared(Counted())
    for ns in (START, START, START, START + 1, START):
        assert event.at(ns) == SAG.at(ns)
    assert asked == [START, START + 1, START]


@pytest.mark.parametrize(
    ("schedule", "seconds", "expected"),
    [
        (ONCE, -0.5, None),
        (ONCE, 3, (0, 3.0)),
        (Schedule(first_ns=START, repeat_ns=10 * NS), 25, (2, 5.0)),
        (Schedule(first_ns=START, repeat_ns=10 * NS), -1, None),
        # 1 700 000 000 s is 20 s past a full minute.
        (EACH_MINUTE, 0, (28_333_333, 15.0)),
    ],
)
def test_occurrences_are_counted_from_the_first_start(schedule, seconds, expected):
    assert schedule.occurrence(START + round(seconds * NS)) == expected


def test_a_span_covers_its_duration_and_counts_its_edges():
    span = Span(schedule=Schedule(first_ns=START, repeat_ns=10 * NS), duration_s=4)
    seconds = (-1, 0, 3.9, 4, 9.9, 10, 15)
    covered = [span.covers(START + round(second * NS)) for second in seconds]
    assert covered == [False, True, True, False, False, True, False]
    edges = [span.edges(START + round(second * NS)) for second in seconds]
    assert edges == [0, 1, 1, 2, 2, 3, 4]
