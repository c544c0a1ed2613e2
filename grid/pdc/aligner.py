"""Alignment: blocks of many inputs, sorted into rows of one time stamp each."""

from dataclasses import dataclass, field

from grid.c37118 import TimeQuality

_REBASE_S = 1.0
"""When no frame fitted the timeline for this long, the next one begins a new timeline."""
_AHEAD_S = 5.0
"""A frame further ahead of the newest one than this comes from a wrong clock."""


@dataclass(kw_only=True, slots=True)
class Row:
    """What is known of one reporting time."""

    slot: int
    """Its number, by grid.slots."""
    quality: TimeQuality
    """The worst time quality of the frames in it."""
    blocks: dict[int, bytes]
    """Blocks by PMU, in the output's format."""
    deadline_s: float
    """Monotonic time at which it is published as it is."""
    sources: set[int]
    """Inputs whose frame is in it."""


@dataclass(kw_only=True)
class Counts:
    """What happened to frames and rows so far."""

    published: int = 0
    """Rows handed out."""
    incomplete: int = 0
    """Of these, rows without all PMUs."""
    late: int = 0
    """Frames whose row was published before they came."""
    duplicate: int = 0
    """Frames that came twice."""
    wrong_time: int = 0
    """Frames too far ahead of all others."""
    rebased: int = 0
    """How often a new timeline was begun."""
    absent: dict[int, int] = field(default_factory=dict)
    """Rows without a PMU, by PMU."""


class Aligner:
    """Collects blocks into rows and says which rows are to be published now, in order.

    A row is published as soon as no live input can still contribute to it, and at the
    latest `lag_s` after its first frame came. An input is live from its first frame until
    it is lost: a TCP stream is in order, so an input that sent a later frame is done with
    the earlier ones, and nobody waits for an input that is known to be gone.
    """

    def __init__(self, *, pmus: frozenset[int], lag_s: float, slots_per_s: int) -> None:
        self._pmus = pmus
        self._lag_s = lag_s
        self._ahead = round(_AHEAD_S * slots_per_s)
        self._rows: dict[int, Row] = {}
        self._newest: dict[int, int] = {}
        self._last = 0
        self._fitted_s: float | None = None
        self._started_s: float | None = None
        self.counts = Counts()
        """What happened so far."""

    def put(
        self,
        source: int,
        slot: int,
        quality: TimeQuality,
        blocks: dict[int, bytes],
        *,
        now_s: float,
        wall_slot: int,
    ) -> None:
        """Take one input's frame. `wall_slot` is this computer's time, for the first frame."""
        if not self._fits(slot, now_s, wall_slot):
            return
        self._newest[source] = max(slot, self._newest.get(source, slot))
        if slot <= self._last:
            self.counts.late += 1
            return
        row = self._rows.get(slot)
        if row is None:
            self._rows[slot] = Row(
                slot=slot,
                quality=quality,
                blocks=dict(blocks),
                deadline_s=now_s + self._lag_s,
                sources={source},
            )
        elif source in row.sources:
            self.counts.duplicate += 1
        else:
            row.sources.add(source)
            row.blocks.update(blocks)
            if quality.code > row.quality.code:
                row.quality = quality

    def lost(self, source: int) -> None:
        """Wait no longer for an input; it is live again with its next frame."""
        self._newest.pop(source, None)

    def ready(self, now_s: float) -> list[Row]:
        """Take out the rows to be published now, oldest first."""
        done = min(self._newest.values(), default=-1)
        for row in self._rows.values():
            if row.deadline_s <= now_s and row.slot > done:
                done = row.slot
        rows = [self._rows.pop(slot) for slot in sorted(self._rows) if slot <= done]
        for row in rows:
            self._last = row.slot
            self.counts.published += 1
            missing = self._pmus - row.blocks.keys()
            if missing:
                self.counts.incomplete += 1
                for pmu in missing:
                    self.counts.absent[pmu] = self.counts.absent.get(pmu, 0) + 1
        return rows

    def deadline_s(self) -> float | None:
        """Return the monotonic time at which ready() has something at the latest."""
        return min((row.deadline_s for row in self._rows.values()), default=None)

    def _fits(self, slot: int, now_s: float, wall_slot: int) -> bool:
        """Tell whether a frame belongs to the timeline; begin a new one where none does."""
        if self._fitted_s is None:
            # Only a frame of about now may begin the timeline, unless no such frame comes.
            self._started_s = now_s if self._started_s is None else self._started_s
            fits = abs(slot - wall_slot) <= self._ahead
            if not fits and now_s - self._started_s < _REBASE_S:
                self.counts.wrong_time += 1
                return False
            self._last = slot - 1
        else:
            newest = max(self._newest.values(), default=self._last)
            if slot <= self._last - self._ahead:
                self.counts.late += 1
            elif slot > max(newest, self._last) + self._ahead:
                self.counts.wrong_time += 1
            else:
                self._fitted_s = now_s
                return True
            if now_s - self._fitted_s < _REBASE_S:
                return False
            self.counts.rebased += 1
            self._rows.clear()
            self._newest.clear()
            self._last = slot - 1
        self._fitted_s = now_s
        return True
