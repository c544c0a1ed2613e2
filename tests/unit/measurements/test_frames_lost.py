"""Frames lost, late and empty."""

import pytest
from histories import Story
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from measurements import events
from measurements.statistics import frames as frame_statistics


def test_a_whole_stream_loses_nothing(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 6)
    story.end(6)
    frames = story.measure().frames
    assert frames is not None
    assert (frames.expected, frames.received, frames.lost) == (500, 500, 0)
    assert (frames.duplicate, frames.out_of_order, frames.absent) == (0, 0, 0)
    assert (frames.gap_s, frames.gap_lines, frames.late) == (0, (), 0)
    assert frames.pause_s == pytest.approx(0.02)
    assert frames.age_median_s == pytest.approx(0.004, abs=0.0011)
    interval = story.measure().intervals["streaming"]
    assert interval.seconds is None
    assert not interval.applicable


def test_two_gaps_with_a_burst_in_between_are_one_outage(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 0)
    story.frames(3, 3.5)
    story.frames(8, 15)
    story.end(15)
    measured = story.measure()
    assert measured.intervals["streaming"].seconds == pytest.approx(8.004)
    assert "in 2 parts" in measured.intervals["streaming"].reason
    assert measured.frames is not None
    assert measured.frames.gap_s == pytest.approx(8.02)
    assert [gap.missing for gap in measured.frames.gaps] == [150, 225]
    assert measured.frames.lost == 375


def test_of_two_outages_the_longer_one_counts_and_both_are_listed(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 0)
    story.frames(0.5, 10)
    story.frames(16, 20)
    story.end(20)
    measured = story.measure()
    assert measured.intervals["streaming"].seconds == pytest.approx(16.004)
    assert measured.frames is not None
    assert [round(gap.at_s, 2) for gap in measured.frames.gaps] == [-0.02, 9.98]


def test_frames_that_come_late_and_all_together_are_no_outage(story: Story) -> None:
    """A busy machine: nothing for 0.8 s, then every frame of it at once."""
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 1)
    for number in range(50, 92):
        story.frame(number / 50, late=1.82 - number / 50)
    story.frames(1.84, 6)
    story.end(6)
    measured = story.measure()
    assert measured.frames is not None
    assert (measured.frames.lost, measured.frames.gap_s) == (0, 0)
    assert measured.frames.pause_s == pytest.approx(0.836, abs=0.001)
    assert measured.frames.late == pytest.approx(31, abs=1)
    assert not measured.intervals["streaming"].applicable


def test_a_frame_with_a_wrong_stamp_does_not_make_others_seem_lost(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 4)
    story.at(4.1, events.FrameArrived(soc=0, fraction=0.0, idcode=20, stats=(0, 0, 0)))
    story.end(4.2)
    frames = story.measure().frames
    assert frames is not None
    assert (frames.expected, frames.received, frames.lost, frames.stray) == (400, 400, 0, 1)


def test_frames_on_their_way_when_the_case_ends_are_not_lost(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 4)
    story.end(5.5)
    measured = story.measure()
    assert measured.frames is not None
    assert measured.frames.lost == 0
    assert not measured.intervals["streaming"].applicable


def test_a_gap_before_the_fault_is_not_the_faults(story: Story) -> None:
    story.begin(-9)
    story.configured(-9)
    story.fault()
    story.frames(-9, -7)
    story.frames(-4, 6)
    story.end(6)
    measured = story.measure()
    assert measured.frames is not None
    assert (measured.frames.lost, measured.frames.lost_before) == (150, 150)
    assert not measured.intervals["streaming"].applicable


def test_a_gap_that_healing_a_node_makes_is_not_the_recovery(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault(stop=20)
    story.frames(-4, 0)
    story.frames(5, 21)
    story.frames(40, 45)
    story.end(45)
    measured = story.measure()
    assert measured.intervals["streaming"].seconds == pytest.approx(5.004)
    assert measured.frames is not None
    assert len(measured.frames.gaps) == 2


def test_frames_that_never_come_back(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 0)
    story.end(30)
    measured = story.measure()
    assert measured.intervals["streaming"].seconds is None
    assert measured.intervals["streaming"].applicable
    assert measured.frames is not None
    assert measured.frames.lost == pytest.approx(1500, abs=2)


def test_no_frame_at_all(story: Story) -> None:
    story.begin(-5)
    story.fault()
    story.end(3)
    measured = story.measure()
    assert measured.frames is None
    assert "no frame came" in measured.intervals["streaming"].reason


def test_a_reconnect_storm_that_repeats_and_reorders_frames(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 1)
    story.frame(0.90, late=0.2)
    story.frame(0.94, late=0.2)
    story.frame(1.06, late=0.02)
    story.frame(1.02, late=0.10)
    story.frames(1.08, 5)
    story.frames(1.00, 1.02)
    story.frame(1.04, late=0.004)
    story.end(5)
    frames = story.measure().frames
    assert frames is not None
    assert frames.duplicate == 2
    assert frames.out_of_order == 1
    assert frames.lost == 0


def test_frames_without_a_pmus_data_flow_but_are_not_complete(story: Story) -> None:
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 0)
    story.frames(2, 6, stats=(0, 0x8000, 0))
    story.frames(6, 9, stats=(0, 0x0040, 0))  # time quality only: the data are good
    story.end(9)
    measured = story.measure()
    assert measured.intervals["streaming"].seconds == pytest.approx(2.004)
    assert measured.intervals["complete"].seconds == pytest.approx(6.004)
    assert measured.frames is not None
    assert measured.frames.absent == 200
    assert measured.frames.absent_by_pmu == {"pmu-1": 0, "pmu-2": 200, "pmu-3": 0}


def test_an_uninterrupted_stream_of_empty_frames_is_no_streaming_gap(story: Story) -> None:
    """The lower PDC dies: the upper one goes on sending frames, without data."""
    story.begin(-5)
    story.configured(-5)
    story.fault()
    story.frames(-4, 0)
    story.frames(0, 3, stats=(0x8000, 0x8000, 0x8000))
    story.frames(3, 8)
    story.end(8)
    measured = story.measure()
    assert not measured.intervals["streaming"].applicable
    assert measured.intervals["complete"].seconds == pytest.approx(3.004)


def test_without_a_configuration_the_rate_is_taken_from_the_stamps(story: Story) -> None:
    story.begin(-5)
    story.fault()
    story.frames(-4, 0)
    story.frames(2, 4)
    story.end(4)
    frames = story.measure().frames
    assert frames is not None
    assert frames.rate == pytest.approx(50)
    assert frames.lost == 100


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["send", "lose", "twice"]), min_size=1, max_size=120))
def test_expected_is_received_and_lost_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, fates: list[str]
) -> None:
    told = Story(tmp_path_factory.mktemp("stream") / "history.jsonl")
    told.begin(-1)
    told.configured(-1)
    told.fault()
    fates = ["send", *fates, "send"]
    for number, fate in enumerate(fates):
        for _ in range({"send": 1, "lose": 0, "twice": 2}[fate]):
            told.frame(number / 50)
    told.end(len(fates) / 50)
    frames = told.measure().frames
    told.recorder.close()
    assert frames is not None
    assert frames.expected == len(fates)
    assert frames.lost == fates.count("lose")
    assert frames.received == len(fates) - fates.count("lose")
    assert frames.duplicate == fates.count("twice")
    assert sum(gap.missing for gap in frames.gaps) == frames.lost


def test_stat_words_that_mean_no_data() -> None:
    assert frame_statistics.DATA_ERROR == 0b1100_0000_0000_0000
