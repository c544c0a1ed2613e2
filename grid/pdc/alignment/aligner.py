"""Alignment: frames of many inputs, sorted into rows of one time stamp each."""

import math
from dataclasses import dataclass, field

from grid.pdc.alignment.counts import InputCounts, OutputCounts
from grid.pdc.alignment.output_format import OutputFormat
from grid.pdc.alignment.slot_finder import SlotMatch
from grid.pdc.alignment.timeline import Timeline, Timeliness, WaitPolicy


@dataclass(kw_only=True, slots=True, eq=False)
class AlignedInput:
    """One input stream in the alignment: how far it is, and its counters."""

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
    """The output frame of one reporting time, while its inputs arrive."""

    slot: int
    """Its number, by grid.timing.slots."""
    format: OutputFormat
    """The format of its frame."""
    frame: bytearray
    """The frame; blocks without an input report absent data."""
    quality: int
    """The high byte of FRACSEC: the worst time quality of the frames in it."""
    deadline_s: float
    """Monotonic time at which it is published as it is."""
    last_s: float
    """Monotonic time of the last arrival."""
    inputs: dict[AlignedInput, int] = field(default_factory=dict)
    """Whose frame is in it, and how many nanoseconds that is off the slot's time."""
    heard: int = 0
    """Live inputs that can't add anything any more."""


class Aligner:
    """Collects frames into rows, and says which rows are to be published now, in order.

    A row leaves when its wait is over; with preemptive publishing as soon as no live input
    can still add to it. An input is live from its first frame until it is lost:
    an input that is known to be gone is not waited for.
    """

    def __init__(
        self, wait: WaitPolicy, output_format: OutputFormat, *, slots_per_s: float, closest: bool
    ) -> None:
        self._wait = wait
        self._timeline = Timeline(wait, slots_per_s=slots_per_s)
        self._rate = slots_per_s
        self._slots_per_ns = slots_per_s * 1e-9
        self._closest = closest
        self._formats = [(-1, output_format)]
        self._rows: dict[int, Row] = {}
        self._first: Row | None = None
        self._live: set[AlignedInput] = set()
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

    def put(
        self, aligned: AlignedInput, slot_match: SlotMatch, *, now_s: float, wall_ns: int
    ) -> Row | None:
        """Return the row that a frame belongs into, None where the frame is not wanted.

        `now_s` is the monotonic clock, `wall_ns` nanoseconds since 1970-01-01 UTC.
        """
        _, slot, off_ns, done, quality = slot_match
        wall_slot = wall_ns * self._slots_per_ns
        timeliness = self._timeline.judge(slot, self._last, now_s, wall_slot)
        if timeliness is Timeliness.AHEAD:
            aligned.counts.ahead += 1
            return None
        if timeliness is Timeliness.BEHIND:
            aligned.counts.late += 1
            return None
        if timeliness is Timeliness.NEW_TIMELINE:
            self._begin(slot)
        if aligned not in self._live:
            self._live.add(aligned)
            aligned.done = -1
        if aligned.ordered and done > aligned.done:
            self._advance(aligned, done)
        if timeliness is Timeliness.LATE:
            if slot == aligned.taken and off_ns > 0:
                aligned.counts.downsampled += 1  # It follows the one that was wanted.
            else:
                aligned.counts.late += 1
            return None
        aligned.taken = slot
        row = self._rows.get(slot)
        if row is None:
            row = self._row(slot, quality, now_s, wall_slot)
        elif aligned in row.inputs:
            return self._again(aligned, row, off_ns)
        elif quality != row.quality:
            # The worst code, and whatever is said about a leap second.
            worst = max(quality & 0xF, row.quality & 0xF)
            row.quality = worst | (quality | row.quality) & 0x70
        row.inputs[aligned] = off_ns
        row.last_s = now_s
        if not aligned.ordered:
            row.heard += 1
        return row

    def lost(self, aligned: AlignedInput) -> None:
        """Wait no longer for an input; it is live again with its next frame."""
        if aligned in self._live:
            self._live.discard(aligned)
            for row in self._rows.values():
                row.heard -= self._has(aligned, row)

    def wait(self, wait: WaitPolicy) -> None:
        """Change how long rows wait; those that are there already keep their deadlines."""
        if wait != self._wait:
            self._wait = wait
            self._timeline.wait(wait)

    def switch(self, output_format: OutputFormat) -> None:
        """Give rows another format, from the first one on of which nothing has come yet."""
        newest = max(self._rows, default=self._last)
        self._formats.append((max(newest, self._last, self._formats[-1][0]) + 1, output_format))

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
        output_format = next(
            output_format for start, output_format in reversed(self._formats) if slot >= start
        )
        since = (wall_slot - slot) / self._rate if self._wait.absolute else 0.0
        row = self._rows[slot] = Row(
            slot=slot,
            format=output_format,
            frame=output_format.blank(),
            quality=quality,
            deadline_s=now_s + self._wait.lag_s - since,
            last_s=now_s,
        )
        self.next_s = min(self.next_s, row.deadline_s)
        row.heard = sum(self._has(aligned, row) for aligned in self._live)
        if self._first is None or slot < self._first.slot:
            self._first = row
        return row

    @staticmethod
    def _has(aligned: AlignedInput, row: Row) -> bool:
        return aligned.done >= row.slot if aligned.ordered else aligned in row.inputs

    def _advance(self, aligned: AlignedInput, done: int) -> None:
        before, aligned.done = aligned.done, done
        if done == before + 1:
            row = self._rows.get(done)
            if row is not None:
                row.heard += 1
        else:
            for row in self._rows.values():
                if before < row.slot <= done:
                    row.heard += 1

    def _again(self, aligned: AlignedInput, row: Row, off_ns: int) -> Row | None:
        """Decide about a second frame of one input for one slot."""
        before = row.inputs[aligned]
        if off_ns == before:
            aligned.counts.duplicate += 1
            return None
        aligned.counts.downsampled += 1
        if self._closest and abs(off_ns) >= abs(before):
            return None
        row.inputs[aligned] = off_ns
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
        self._formats = [(-1, self._formats[-1][1])]
        self._last = slot - 1

    def _count(self, row: Row) -> None:
        counts = self.counts
        if counts.published:
            counts.skipped += row.slot - self._last - 1
        self._last = row.slot
        while len(self._formats) > 1 and self._formats[1][0] <= row.slot:
            del self._formats[0]
        counts.published += 1
        counts.blocks_expected += len(row.format.pmus)
        missing = row.format.pmus.difference(*(aligned.pmus for aligned in row.inputs))
        if missing:
            counts.incomplete += 1
            for pmu in missing:
                counts.absent[pmu] = counts.absent.get(pmu, 0) + 1
