"""Alignment, with the clock in the test's hand."""

import math

import pytest

from grid import c37118
from grid.pdc.aligner import Aligner, Lane, Row
from grid.pdc.layout import Layout
from grid.pdc.sorting import Place
from grid.pdc.timeline import Wait

LAG_S = 0.2
BASE = 85_000_000_000
PERIOD_NS = 20_000_000
GOOD, POOR = 0, 9
NOW = c37118.Stamp(soc=0, count=0, quality=c37118.TimeQuality(code=0))


def layout() -> Layout:
    stations = [
        c37118.Station(name=str(idcode), idcode=idcode, format=c37118.Format())
        for idcode in (1, 2, 3)
    ]
    return Layout(idcode=9, stations=stations, rate=50, stamp=NOW)


class Bench:
    """Three inputs with one PMU each, and the rows that came out."""

    def __init__(self, *, ordered: bool = True, closest: bool = True, **wait: object) -> None:
        self.aligner = Aligner(Wait(lag_s=LAG_S, **wait), layout(), slots_per_s=50, closest=closest)
        self.lanes = {
            source: Lane(ordered=ordered, pmus=frozenset({source})) for source in (1, 2, 3)
        }
        self.now_s = 100.0
        self.wall = 0.0
        """Slots by which this computer's clock is ahead of BASE."""
        self.rows: list[tuple[int, list[int]]] = []
        self.taken: list[Row] = []

    @property
    def counts(self) -> dict[int, object]:
        return {source: lane.counts for source, lane in self.lanes.items()}

    def put(self, source: int, slot: int, quality: int = GOOD, off_ns: int = 0) -> Row | None:
        row = self.aligner.put(
            self.lanes[source],
            Place(ns=0, slot=BASE + slot, off_ns=off_ns, done=BASE + slot, quality=quality),
            now_s=self.now_s,
            wall_ns=round((BASE + self.wall) * PERIOD_NS),
        )
        self.collect()
        return row

    def lost(self, source: int) -> None:
        self.aligner.lost(self.lanes[source])

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.collect()

    def collect(self) -> None:
        rows = self.aligner.ready(self.now_s)
        self.taken += rows
        names = {lane: source for source, lane in self.lanes.items()}
        self.rows += [(row.slot - BASE, sorted(names[lane] for lane in row.lanes)) for row in rows]


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
    assert sum(lane.counts.late for lane in bench.lanes.values()) == 3, (
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
