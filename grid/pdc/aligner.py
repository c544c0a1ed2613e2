"""Alignment: frames of many inputs, sorted into rows of one time stamp each."""

import math
from dataclasses import dataclass, field

from grid.pdc.counts import InputCounts, OutputCounts
from grid.pdc.layout import Layout
from grid.pdc.sorting import Place
from grid.pdc.timeline import Timeline, Verdict, Wait


@dataclass(kw_only=True, slots=True, eq=False)
class Lane:
    """What the aligner knows of one input."""

    ordered: bool = True
    """Whether frames come in the order in which they were sent, as over TCP: then an input
    that sent a later frame is done with the earlier ones."""
    done: int = -1
    """The last slot that it can't add anything to any more."""
    taken: int = -1
    """The slot of the last frame of it that was taken."""
    pmus: frozenset[int] = frozenset()
    """The output's PMUs that its frames fill."""
    counts: InputCounts = field(default_factory=InputCounts)
    """What happened to its frames."""


@dataclass(kw_only=True, slots=True, eq=False)
class Row:
    """What is known of one reporting time."""

    slot: int
    """Its number, by grid.timing.slots."""
    layout: Layout
    """How its frame is laid out."""
    frame: bytearray
    """The frame; blocks that nobody filled say that they are absent."""
    quality: int
    """The high byte of FRACSEC: the worst time quality of the frames in it."""
    deadline_s: float
    """Monotonic time at which it is published as it is."""
    last_s: float
    """Monotonic time of the last arrival."""
    lanes: dict[Lane, int] = field(default_factory=dict)
    """Whose frame is in it, and how many nanoseconds that is off the slot's time."""
    heard: int = 0
    """Live inputs that can't add anything any more."""


class Aligner:
    """Collects frames into rows, and says which rows are to be published now, in order.

    A row leaves when its wait is over; with preemptive publishing as soon as no live input
    can still add to it. An input is live from its first frame until it is lost: nobody
    waits for an input that is known to be gone.
    """

    def __init__(self, wait: Wait, layout: Layout, *, slots_per_s: float, closest: bool) -> None:
        self._wait = wait
        self._timeline = Timeline(wait, slots_per_s=slots_per_s)
        self._rate = slots_per_s
        self._slots_per_ns = slots_per_s * 1e-9
        self._closest = closest
        self._layouts = [(-1, layout)]
        self._rows: dict[int, Row] = {}
        self._first: Row | None = None
        self._live: set[Lane] = set()
        self._left_over: list[Row] = []
        self._last = -1
        self.next_s = math.inf
        """Monotonic time at which ready() has something at the latest; infinite for never."""
        self.counts = OutputCounts()
        """What happened so far."""

    @property
    def complete(self) -> bool:
        """Whether a row can leave before its deadline."""
        first = self._first
        return first is not None and self._wait.preemptive and first.heard >= len(self._live)

    def put(self, lane: Lane, place: Place, *, now_s: float, wall_ns: int) -> Row | None:
        """Return the row that a frame belongs into, None where the frame is not wanted.

        `now_s` is the monotonic clock, `wall_ns` nanoseconds since 1970-01-01 UTC.
        """
        _, slot, off_ns, done, quality = place
        wall_slot = wall_ns * self._slots_per_ns
        verdict = self._timeline.judge(slot, self._last, now_s, wall_slot)
        if verdict is Verdict.AHEAD:
            lane.counts.ahead += 1
            return None
        if verdict is Verdict.BEHIND:
            lane.counts.late += 1
            return None
        if verdict is Verdict.ANEW:
            self._begin(slot)
        if lane not in self._live:
            self._live.add(lane)
            lane.done = -1
        if lane.ordered and done > lane.done:
            self._advance(lane, done)
        if verdict is Verdict.LATE:
            if slot == lane.taken and off_ns > 0:
                lane.counts.downsampled += 1  # It follows the one that was wanted.
            else:
                lane.counts.late += 1
            return None
        lane.taken = slot
        row = self._rows.get(slot)
        if row is None:
            row = self._row(slot, quality, now_s, wall_slot)
        elif lane in row.lanes:
            return self._again(lane, row, off_ns)
        elif quality != row.quality:
            # The worst code, and whatever is said about a leap second.
            worst = max(quality & 0xF, row.quality & 0xF)
            row.quality = worst | (quality | row.quality) & 0x70
        row.lanes[lane] = off_ns
        row.last_s = now_s
        if not lane.ordered:
            row.heard += 1
        return row

    def lost(self, lane: Lane) -> None:
        """Wait no longer for an input; it is live again with its next frame."""
        if lane in self._live:
            self._live.discard(lane)
            for row in self._rows.values():
                row.heard -= self._has(lane, row)

    def wait(self, wait: Wait) -> None:
        """Change how long rows wait; those that are there already keep their deadlines."""
        if wait != self._wait:
            self._wait = wait
            self._timeline.wait(wait)

    def switch(self, layout: Layout) -> None:
        """Lay out rows anew, from the first one on of which nothing has come yet."""
        newest = max(self._rows, default=self._last)
        self._layouts.append((max(newest, self._last, self._layouts[-1][0]) + 1, layout))

    def ready(self, now_s: float) -> list[Row]:
        """Take out the rows to be published now, oldest first."""
        taken, self._left_over = self._left_over, []
        due = max((row.slot for row in self._rows.values() if row.deadline_s <= now_s), default=-1)
        for slot in sorted(self._rows):
            row = self._rows[slot]
            if slot > due and not (self._wait.preemptive and row.heard >= len(self._live)):
                break
            del self._rows[slot]
            self._count(row)
            taken.append(row)
        self._first = self._rows[min(self._rows)] if self._rows else None
        self.next_s = min((row.deadline_s for row in self._rows.values()), default=math.inf)
        return taken

    def _row(self, slot: int, quality: int, now_s: float, wall_slot: float) -> Row:
        layout = next(layout for start, layout in reversed(self._layouts) if slot >= start)
        since = (wall_slot - slot) / self._rate if self._wait.absolute else 0.0
        row = self._rows[slot] = Row(
            slot=slot,
            layout=layout,
            frame=layout.blank(),
            quality=quality,
            deadline_s=now_s + self._wait.lag_s - since,
            last_s=now_s,
        )
        self.next_s = min(self.next_s, row.deadline_s)
        row.heard = sum(self._has(lane, row) for lane in self._live)
        if self._first is None or slot < self._first.slot:
            self._first = row
        return row

    @staticmethod
    def _has(lane: Lane, row: Row) -> bool:
        return lane.done >= row.slot if lane.ordered else lane in row.lanes

    def _advance(self, lane: Lane, done: int) -> None:
        before, lane.done = lane.done, done
        if done == before + 1:
            row = self._rows.get(done)
            if row is not None:
                row.heard += 1
        else:
            for row in self._rows.values():
                if before < row.slot <= done:
                    row.heard += 1

    def _again(self, lane: Lane, row: Row, off_ns: int) -> Row | None:
        """Decide about a second frame of one input for one slot."""
        before = row.lanes[lane]
        if off_ns == before:
            lane.counts.duplicate += 1
            return None
        lane.counts.downsampled += 1
        if self._closest and abs(off_ns) >= abs(before):
            return None
        row.lanes[lane] = off_ns
        return row

    def _begin(self, slot: int) -> None:
        """Begin a new timeline; what waits in the old one leaves as it is."""
        if self._last >= 0:
            self.counts.rebased += 1
        for old in sorted(self._rows):
            self._count(self._rows[old])
            self._left_over.append(self._rows[old])
        self._rows.clear()
        self._first = None
        self.next_s = -math.inf if self._left_over else math.inf
        self._live.clear()
        self._layouts = [(-1, self._layouts[-1][1])]
        self._last = slot - 1

    def _count(self, row: Row) -> None:
        counts = self.counts
        if counts.published:
            counts.skipped += row.slot - self._last - 1
        self._last = row.slot
        while len(self._layouts) > 1 and self._layouts[1][0] <= row.slot:
            del self._layouts[0]
        counts.published += 1
        counts.blocks_expected += len(row.layout.pmus)
        missing = row.layout.pmus.difference(*(lane.pmus for lane in row.lanes))
        if missing:
            counts.incomplete += 1
            for pmu in missing:
                counts.absent[pmu] = counts.absent.get(pmu, 0) + 1
