"""Recordings: columns, interpolation, loops; and the one that ships."""

import cmath
import itertools
import math
from pathlib import Path

import pytest

from grid.documents.document_error import DocumentError
from grid.pmu.scenario import document
from grid.pmu.signals import two_area
from grid.pmu.signals.replay import Recording, Replay
from grid.pmu.signals.schedule import NS, Schedule

START = 1_700_000_040 * NS
"""A full minute."""
EACH_MINUTE = Schedule(first_ns=0, repeat_ns=60 * NS)

ROWS = """\
# a comment
time_s,a.V,a.V_deg,a.I,a.I_deg,b.VA,b.VA_deg,b.VB,b.VB_deg,b.VC,b.VC_deg,b.Hz,b.Hz_s
10.0,100,170,5,0,1,0,2,-120,3,120,49.9,0.1
10.1,110,179,5,0,1,0,2,-120,3,120,50.0,0.2
10.2,120,-172,5,0,1,0,2,-120,3,120,50.1,0.3
"""


def recording(tmp_path: Path, text: str = ROWS) -> Recording:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return Recording.read(path, 50)


def degrees(value: complex) -> float:
    return math.degrees(cmath.phase(value))


def at(replay: Replay, seconds: float):
    return replay.at(START + round(seconds * NS))


def test_values_between_rows_are_interpolated_and_angles_go_the_short_way(tmp_path):
    replay = Replay(recording(tmp_path).track("a"), schedule=EACH_MINUTE)
    for seconds, magnitude, angle in (
        (0, 100, 170), (0.05, 105, 174.5), (0.1, 110, 179), (0.15, 115, -176.5), (0.2, 120, -172),
        (30, 120, -172), (60, 100, 170),
    ):  # fmt: skip
        sample = at(replay, seconds)
        assert abs(sample.phasors[0]) == pytest.approx(magnitude)
        assert degrees(sample.phasors[0] * cmath.rect(1, -math.radians(angle))) == pytest.approx(
            0, abs=1e-6
        )


def test_a_positive_sequence_makes_three_balanced_phases(tmp_path):
    sample = at(Replay(recording(tmp_path).track("a"), schedule=EACH_MINUTE), 0)
    assert abs(sum(sample.phasors[:3])) < 1e-9
    assert degrees(sample.phasors[1] / sample.phasors[0]) == pytest.approx(-120)
    assert [abs(value) for value in sample.phasors[3:]] == pytest.approx([5, 5, 5])


def test_phases_of_their_own_and_missing_currents(tmp_path):
    sample = at(Replay(recording(tmp_path).track("b"), schedule=EACH_MINUTE), 0.1)
    assert [abs(value) for value in sample.phasors] == pytest.approx([1, 2, 3, 0, 0, 0])
    assert (sample.deviation_hz, sample.rocof_hz_s) == pytest.approx((0, 0.2))


def test_without_a_column_frequency_is_the_slope_of_the_angle(tmp_path):
    sample = at(Replay(recording(tmp_path).track("a"), schedule=EACH_MINUTE), 0.1)
    # 18 degrees within 0.2 s.
    assert sample.deviation_hz == pytest.approx(18 / 360 / 0.2)
    assert sample.rocof_hz_s == pytest.approx(0)


def test_hold_keeps_each_row_until_the_next(tmp_path):
    replay = Replay(recording(tmp_path).track("a"), schedule=EACH_MINUTE, hold=True)
    seen = [abs(at(replay, seconds).phasors[0]) for seconds in (0, 0.099, 0.1, 0.199)]
    assert seen == pytest.approx([100, 100, 110, 110])


def test_before_its_start_the_first_row_stands(tmp_path):
    later = Schedule(first_ns=START + 100 * NS)
    replay = Replay(recording(tmp_path).track("a"), schedule=later)
    assert abs(at(replay, 0).phasors[0]) == pytest.approx(100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("time_s", "t"), "no column time_s"),
        (("110", "high"), "row 3: could not convert"),
        (("110", "nan"), "row 3: 13 finite numbers"),
        ((",0.3", ""), "row 4: 13 finite numbers"),
        (("10.1,", "10.0,"), "time_s does not grow"),
        (("a.V_deg", "a.W_deg"), "column a.V has no a.V_deg"),
        (("a.V,", "a.U,"), "neither a.V nor a.VA"),
        (("10.2", "# 10.2"), None),
        (("10.1", "# 10.1"), None),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_row(tmp_path, change, message):
    text = ROWS.replace(*change)
    if message is None:
        assert len(recording(tmp_path, text).track("a").times_s) == 2
        return
    with pytest.raises(DocumentError, match=message):
        recording(tmp_path, text).track("a")


def test_a_file_that_is_no_text_is_said(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"time_s,a.V\n\xff\xfe")
    with pytest.raises(DocumentError, match=r"rows\.csv: not CSV"):
        Recording.read(path, 50)


def test_a_pmu_that_is_not_in_the_file_is_said_with_those_that_are(tmp_path):
    with pytest.raises(DocumentError, match="no PMU 'c'; it has a, b"):
        recording(tmp_path).track("c")


@pytest.fixture(scope="module")
def replays():
    """Return the PMUs of the recording that comes with the package."""
    whole = Recording.read(document.SHIPPED / "two-area.csv", 50)
    return {
        place.name: Replay(whole.track(place.name), schedule=EACH_MINUTE)
        for place in two_area.SITES
    }


def hertz(replay, seconds):
    return at(replay, seconds).deviation_hz


def test_the_fault_is_deepest_where_it_is_nearest(replays):
    shares = [
        abs(at(replay, 5.04).phasors[0]) / abs(at(replay, 4.9).phasors[0])
        for replay in (replays["bus-5"], replays["bus-7"], replays["bus-10"])
    ]
    assert 0.9 < shares[0] < 1
    assert shares[0] > shares[1] > shares[2] > 0.6


def test_the_two_areas_swing_against_each_other_after_it(replays):
    against = [
        hertz(replays["bus-5"], second) - hertz(replays["bus-10"], second)
        for second in [6 + 0.02 * step for step in range(400)]
    ]
    turns = [
        step for step, (one, other) in enumerate(itertools.pairwise(against)) if one * other < 0
    ]
    # An inter-area mode: half a period of about 1 s, fading.
    assert 4 <= len(turns) <= 16
    assert max(map(abs, against[:100])) > 2 * max(map(abs, against[-100:]))


def test_the_frequency_falls_everywhere_when_the_generator_trips(replays):
    for replay in replays.values():
        assert abs(hertz(replay, 24.9)) < 0.01
        assert -0.35 < hertz(replay, 29) < -0.1
        # What droop leaves.
        assert -0.15 < hertz(replay, 49) < -0.05


def test_the_minute_ends_where_it_began(replays):
    for replay in replays.values():
        last, first = at(replay, 59.98), at(replay, 60)
        for one, other in zip(last.phasors, first.phasors, strict=True):
            assert abs(one - other) < 1e-3 * abs(other)
        assert hertz(replay, 59.9) == pytest.approx(0, abs=2e-3)


def test_frequency_belongs_to_the_angle_everywhere(replays):
    for replay in replays.values():
        turned = sum(hertz(replay, step / 50) for step in range(3000)) / 50
        assert turned == pytest.approx(round(turned), abs=0.01)
