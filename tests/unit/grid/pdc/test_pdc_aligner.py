"""Alignment, with the clock in the test's hand."""

import math

import pytest

from grid import c37118
from grid.pdc.alignment.aligner import AlignedInput, Aligner, Row
from grid.pdc.alignment.output_format import OutputFormat
from grid.pdc.alignment.slot_finder import SlotMatch
from grid.pdc.alignment.timeline import WaitPolicy

LAG_S = 0.2
BASE = 85_000_000_000
PERIOD_NS = 20_000_000
GOOD, POOR = 0, 9
NOW = c37118.Stamp(soc=0, count=0, quality=c37118.TimeQuality(code=0))


def output_format() -> OutputFormat:
    stations = [
        c37118.Station(name=str(idcode), idcode=idcode, format=c37118.Format())
        for idcode in (1, 2, 3)
    ]
    return OutputFormat(idcode=9, stations=stations, rate=50, stamp=NOW)


class Bench:
    """Three inputs with one PMU each, and the rows that came out."""

    def __init__(self, *, ordered: bool = True, closest: bool = True, **wait: object) -> None:
        self.aligner = Aligner(
            WaitPolicy(lag_s=LAG_S, **wait), output_format(), slots_per_s=50, closest=closest
        )
        self.inputs = {
            source: AlignedInput(ordered=ordered, pmus=frozenset({source})) for source in (1, 2, 3)
        }
        self.now_s = 100.0
        self.wall = 0.0
        """Slots by which this computer's clock is ahead of BASE."""
        self.rows: list[tuple[int, list[int]]] = []
        self.taken: list[Row] = []

    @property
    def counts(self) -> dict[int, object]:
        return {source: aligned.counts for source, aligned in self.inputs.items()}

    def put(self, source: int, slot: int, quality: int = GOOD, off_ns: int = 0) -> Row | None:
        row = self.aligner.put(
            self.inputs[source],
            SlotMatch(ns=0, slot=BASE + slot, off_ns=off_ns, done=BASE + slot, quality=quality),
            now_s=self.now_s,
            wall_ns=round((BASE + self.wall) * PERIOD_NS),
        )
        self.collect()
        return row

    def lost(self, source: int) -> None:
        self.aligner.lost(self.inputs[source])

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.collect()

    def collect(self) -> None:
        rows = self.aligner.ready(self.now_s)
        self.taken += rows
        names = {aligned: source for source, aligned in self.inputs.items()}
        self.rows += [
            (row.slot - BASE, sorted(names[aligned] for aligned in row.inputs)) for row in rows
        ]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    for source in (1, 2, 3):
        bench.put(source, 0)
    # Nobody is waited for before he sent his first frame: slot 0 left with input 1 alone.
    assert bench.rows == [(0, [1])]
    bench.rows.clear()
    bench.taken.clear()
    return bench


def test_a_row_leaves_with_its_last_frame(bench):
    bench.put(1, 1)
    bench.put(2, 1)
    assert bench.rows == []
    bench.put(3, 1)
    assert bench.rows == [(1, [1, 2, 3])]
    assert bench.aligner.next_s == math.inf


def test_a_missing_pmu_is_waited_for_until_the_lag_time_is_over(bench):
    bench.put(1, 1)
    bench.wait(0.1)
    bench.put(2, 1)
    assert bench.aligner.next_s == pytest.approx(100.0 + LAG_S)
    bench.wait(0.099)
    assert bench.rows == []
    bench.wait(0.002)
    assert bench.rows == [(1, [1, 2])]
    # Inputs 2 and 3 were absent in slot 0 already.
    assert bench.aligner.counts.absent == {2: 1, 3: 2}


def test_an_input_that_sent_a_later_frame_is_not_waited_for(bench):
    bench.put(1, 1)
    bench.put(2, 1)
    bench.put(3, 2)
    assert bench.rows == [(1, [1, 2])]


def test_an_input_that_is_lost_is_not_waited_for(bench):
    bench.put(1, 1)
    bench.put(2, 1)
    bench.lost(3)
    bench.collect()
    assert bench.rows == [(1, [1, 2])]
    bench.put(1, 2)
    bench.put(2, 2)
    assert bench.rows[-1] == (2, [1, 2])


def test_an_input_that_is_back_is_waited_for_again(bench):
    bench.lost(3)
    bench.put(1, 1)
    bench.put(2, 1)
    bench.put(3, 1)
    assert sum(aligned.counts.late for aligned in bench.inputs.values()) == 3, (
        "its first frame came after the row was gone"
    )
    bench.put(1, 2)
    bench.put(2, 2)
    assert bench.rows == [(1, [1, 2])]
    bench.put(3, 2)
    assert bench.rows[-1] == (2, [1, 2, 3])


def test_rows_leave_in_order(bench):
    bench.put(1, 2)
    bench.put(2, 1)
    bench.wait(0.05)
    bench.put(2, 2)
    bench.put(3, 1)
    bench.put(3, 2)
    assert bench.rows == [(1, [2, 3]), (2, [1, 2, 3])]


def test_late_and_double_frames_are_counted_and_left_out(bench):
    late = bench.counts[2].late
    bench.put(1, 1)
    bench.put(1, 1)
    assert bench.counts[1].duplicate == 1
    bench.wait(1)
    bench.put(2, 1)
    assert bench.counts[2].late == late + 1
    assert bench.rows == [(1, [1])]


def test_a_row_has_the_worst_time_quality_of_its_parts(bench):
    bench.put(1, 1, GOOD)
    bench.put(2, 1, POOR)
    bench.put(3, 1, GOOD)
    assert bench.taken[0].quality == POOR


def test_one_wrong_clock_ahead_does_not_disturb_the_others(bench):
    bench.put(3, 50 * 3600)
    assert bench.counts[3].ahead == 1
    for slot in range(1, 200):
        for source in (1, 2):
            bench.put(source, slot)
        bench.put(3, 50 * 3600 + slot)
        bench.wait(0.02)
    assert [slot for slot, _ in bench.rows] == [*range(1, 200 - round(LAG_S * 50))]
    assert bench.aligner.counts.rebased == 0


def test_one_wrong_clock_behind_does_not_disturb_the_others(bench):
    for slot in range(1, 200):
        for source in (1, 2):
            bench.put(source, slot)
        bench.put(3, slot - 50 * 3600)
        bench.wait(0.02)
    assert [slot for slot, _ in bench.rows] == [*range(1, 200 - round(LAG_S * 50))]


@pytest.mark.parametrize("step", [50 * 3600, -50 * 3600, 50 * 10, -50 * 10])
def test_when_all_clocks_step_the_timeline_follows_within_a_second(bench, step):
    for slot in range(1, 200):
        for source in (1, 2, 3):
            bench.put(source, step + slot)
        bench.wait(0.02)
    slots = [slot for slot, _ in bench.rows]
    assert slots[-1] == step + 199
    assert len(slots) >= 199 - 52
    assert bench.aligner.counts.rebased == 1


def test_after_a_long_silence_the_stream_goes_on_at_once(bench):
    for source in (1, 2, 3):
        bench.lost(source)
    bench.wait(60)
    bench.put(1, 3000)
    assert bench.rows == [(3000, [1])]


def test_the_first_frame_must_be_of_about_now_if_there_is_one():
    bench = Bench()
    bench.put(1, 50 * 3600)
    bench.put(2, 0)
    assert bench.rows == [(0, [2])]


def test_without_a_right_clock_the_first_frames_begin_the_timeline_after_a_second():
    bench = Bench()
    for slot in range(100):
        bench.put(1, 50 * 3600 + slot)
        bench.wait(0.02)
    assert bench.rows
    assert bench.rows[-1] == (50 * 3600 + 99, [1])


def test_rows_do_not_pile_up(bench):
    for slot in range(1, 5000):
        bench.put(1, slot)
        bench.wait(0.02)
    assert len(bench.aligner._rows) <= LAG_S * 50 + 1


def primed(**options: object) -> Bench:
    """Return a bench with three live inputs, whose next slot is 1."""
    bench = Bench(**options)
    for source in (1, 2, 3):
        bench.put(source, 0)
    bench.wait(LAG_S + 0.01)
    bench.rows.clear()
    bench.taken.clear()
    return bench


def test_without_preemptive_publishing_a_complete_row_waits_all_the_same():
    bench = primed(preemptive=False)
    start_s = bench.now_s
    for source in (1, 2, 3):
        bench.put(source, 11)
    bench.wait(LAG_S - 0.001)
    assert bench.rows == []
    assert bench.aligner.next_s == pytest.approx(start_s + LAG_S)
    bench.wait(0.002)
    assert bench.rows == [(11, [1, 2, 3])]


def test_the_absolute_wait_begins_at_the_time_stamp():
    bench = Bench(absolute=True, preemptive=False)
    bench.wall = 4.0
    bench.put(1, 0)  # 80 ms after its time stamp, so that 120 ms are left.
    bench.put(2, 2)  # This one has 160 ms left.
    bench.wait(0.119)
    assert bench.rows == []
    bench.wait(0.002)
    assert bench.rows == [(0, [1])]
    bench.wait(0.040)
    assert bench.rows == [(0, [1]), (2, [2])]


def test_with_the_absolute_wait_what_comes_after_it_is_late():
    bench = Bench(absolute=True)
    bench.wall = 10.5
    assert bench.put(1, 0) is None
    assert bench.counts[1].late == 1
    assert bench.put(1, 1) is not None


def test_frames_beyond_the_lead_time_are_counted_and_left_out():
    bench = primed(lead_s=0.1)
    assert bench.put(1, 50) is None
    assert bench.counts[1].ahead == 1
    assert bench.put(1, 11) is not None


def test_an_input_whose_datagrams_overtake_one_another_is_waited_for_by_each_row():
    bench = primed(ordered=False)
    bench.put(1, 12)
    bench.put(1, 11)
    for source in (2, 3):
        bench.put(source, 11)
    assert bench.rows == [(11, [1, 2, 3])]
    bench.put(2, 12)
    bench.put(2, 13)
    assert bench.rows == [(11, [1, 2, 3])], "input 3 may still send slot 12"
    bench.put(3, 12)
    assert bench.rows[-1] == (12, [1, 2, 3])


@pytest.mark.parametrize(("closest", "kept"), [(True, [0]), (False, [-20, 0, 20])])
def test_of_several_frames_for_one_row_the_closest_or_the_last_is_kept(closest, kept):
    bench = Bench(closest=closest)
    taken = []
    for off_ms in (-20, 0, 20):
        bench.aligner.put(
            bench.inputs[1],
            SlotMatch(ns=0, slot=BASE, off_ns=off_ms * 1_000_000, done=BASE - 1, quality=GOOD),
            now_s=bench.now_s,
            wall_ns=BASE * PERIOD_NS,
        )
        row = bench.aligner._rows[BASE]
        taken.append(row.inputs[bench.inputs[1]] // 1_000_000)
    assert taken[-1] == kept[-1]
    assert bench.counts[1].downsampled == 2
    assert bench.counts[1].duplicate == 0


def test_after_a_switch_of_the_layout_rows_that_were_begun_leave_in_the_old_one():
    bench = primed()
    old, new = bench.aligner._formats[-1][1], output_format()
    bench.put(1, 11)
    bench.put(1, 12)
    bench.aligner.switch(new)
    bench.put(1, 13)
    for slot in (11, 12, 13):
        bench.put(2, slot)
        bench.put(3, slot)
    assert [(row.slot - BASE, row.format is new) for row in bench.taken] == [
        (11, False),
        (12, False),
        (13, True),
    ]
    assert bench.taken[0].format is old
    assert bench.rows[-3:] == [(slot, [1, 2, 3]) for slot in (11, 12, 13)]


def test_what_is_said_about_a_leap_second_is_passed_on_whoever_says_it():
    bench = primed()
    bench.put(1, 11, POOR)
    bench.put(2, 11, 0x10)
    bench.put(3, 11, GOOD)
    assert bench.taken[0].quality == POOR | 0x10


def test_a_second_that_comes_twice_costs_one_second_of_frames():
    """An inserted leap second has the SOC of the second after it (C37.118.2, 6.2.2)."""
    bench = primed()
    for slot in (*range(11, 61), *range(11, 111)):
        for source in (1, 2, 3):
            bench.put(source, slot)
        bench.wait(0.02)
    assert [slot for slot, _ in bench.rows] == [*range(11, 111)]
    assert bench.counts[1].late == 50
    assert bench.aligner.counts.rebased == 0


def test_a_second_that_is_left_out_costs_nothing():
    bench = primed(lead_s=1.5)
    for slot in (*range(11, 61), *range(111, 161)):
        for source in (1, 2, 3):
            bench.put(source, slot)
        bench.wait(0.02)
    assert [slot for slot, _ in bench.rows] == [*range(11, 61), *range(111, 161)]
    assert bench.aligner.counts.skipped == 10 + 50


def test_what_waits_when_a_new_timeline_begins_leaves_as_it_is():
    bench = primed()
    bench.put(1, 11)
    for step in range(60):
        bench.put(2, 50 * 3600 + step)
        bench.now_s += 0.02
    assert bench.rows[0] == (11, [1])
    assert bench.rows[-1][0] > 50 * 3600
