"""Checks the time stamps of a stream against DATA_RATE and the clock of the receiver."""

from grid.inspect.findings import FindingKind, StreamReport
from grid.inspect.text import iso
from grid.timing.slots import Slots

_OFF_SLOT = 0.05
"""A stamp further from a reporting time than this part of a period doesn't stand at one."""
_RATE_OFF = 0.05
_RATE_MIN_S = 2.0
"""Over less than this the rate of arrival says nothing."""
_COMPARABLE_S = 10.0
"""With clocks further apart than this, latency has no meaning."""
_EARLY_S = 0.001
_NS = 1_000_000_000


class TimestampCheck:
    """Checks the time stamps of one configuration's data frames."""

    def __init__(self, data_rate: int) -> None:
        self._slots = Slots(data_rate)
        self._data_rate = data_rate
        self._newest: int | None = None
        self._recent: dict[int, None] = {}
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._arrivals = 0
        self._latencies_ns: list[int] = []
        self.frames = 0
        """Data frames so far."""
        self.missing = 0
        """Frames that never came."""
        self.gaps = 0
        """Places at which frames are missing."""
        self.duplicates = 0
        """Frames that came again."""
        self.disordered = 0
        """Frames that came after a later one."""
        self.off_slot = 0
        """Frames whose stamp stands at no reporting time."""
        self._longest_gap = (0, 0)

    def take(self, ns: int, t_ns: int | None) -> None:
        """Take a frame's time stamp, and the time of its arrival where it is known."""
        self.frames += 1
        slot = self._slots.nearest(ns)
        self.off_slot += abs(ns - self._slots.time_ns(slot)) > _OFF_SLOT * self._slots.period_ns
        if slot in self._recent:
            self.duplicates += 1
        elif self._newest is not None and slot < self._newest:
            self.disordered += 1
            # It was taken for missing when the later one came.
            self.missing = max(0, self.missing - 1)
        elif self._newest is not None and slot > self._newest + 1:
            lost = slot - self._newest - 1
            self.missing += lost
            self.gaps += 1
            self._longest_gap = max(self._longest_gap, (lost, ns))
        self._newest = max(slot, self._newest or slot)
        self._recent[slot] = None
        if len(self._recent) > 1000:
            del self._recent[next(iter(self._recent))]
        if t_ns is not None:
            self._first_ns = t_ns if self._first_ns is None else self._first_ns
            self._last_ns = t_ns
            self._arrivals += 1
            self._latencies_ns.append(t_ns - ns)

    def report(self, report: StreamReport) -> None:
        """Say what is wrong with them."""
        if self.missing > 0:
            lost, ns = self._longest_gap
            report.add(
                FindingKind.GAPS,
                f"{self.missing} of {self.frames + self.missing} data frames are missing, in "
                f"{self.gaps} places; the longest gap is {lost} frames before {iso(ns)}",
            )
        if self.duplicates:
            report.add(FindingKind.ORDER, f"{self.duplicates} data frames came twice")
        if self.disordered:
            report.add(FindingKind.ORDER, f"{self.disordered} data frames came after a later one")
        if self.off_slot:
            report.add(
                FindingKind.RATE,
                f"{self.off_slot} time stamps stand at no reporting time of DATA_RATE "
                f"{self._data_rate}",
            )
        self._arrival_rate(report)
        self._latency(report)

    def _arrival_rate(self, report: StreamReport) -> None:
        if self._first_ns is None or self._last_ns is None:
            return
        took_s = (self._last_ns - self._first_ns) / _NS
        wanted = _NS / self._slots.period_ns
        if took_s < max(_RATE_MIN_S, 10 / wanted):
            return
        rate = (self._arrivals - 1) / took_s
        report.facts.append(f"{rate:.3f} data frames/s arrived over {took_s:.1f} s")
        if abs(rate - wanted) > _RATE_OFF * wanted:
            report.add(
                FindingKind.RATE, f"{rate:.3f} data frames/s arrive, DATA_RATE promises {wanted:g}"
            )

    def _latency(self, report: StreamReport) -> None:
        if not self._latencies_ns:
            return
        sorted_s = sorted(latency / _NS for latency in self._latencies_ns)
        median = sorted_s[len(sorted_s) // 2]
        if abs(median) > _COMPARABLE_S:
            report.facts.append(
                f"the sender's clock is {-median:+.1f} s off the receiver's: no latency"
            )
            return
        report.facts.append(
            f"from time stamp to arrival {sorted_s[0] * 1e3:.3f} to {sorted_s[-1] * 1e3:.3f} ms, "
            f"median {median * 1e3:.3f}, p99 "
            f"{sorted_s[min(len(sorted_s) - 1, len(sorted_s) * 99 // 100)] * 1e3:.3f}"
        )
        early = sum(latency < -_EARLY_S for latency in sorted_s)
        if early:
            report.add(
                FindingKind.LATENCY,
                f"{early} data frames arrived up to {-sorted_s[0] * 1e3:.3f} ms before the time "
                "that they are stamped with: one of the clocks is wrong",
            )
