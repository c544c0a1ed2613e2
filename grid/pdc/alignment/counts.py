"""Counters of inputs and output: plain numbers that the metrics read."""

from dataclasses import dataclass, field

from service.latency import Latencies


@dataclass(kw_only=True, slots=True)
class InputCounts:
    """Counters of one input, in openPDC's words."""

    received: int = 0
    """Data frames that arrived whole, of this stream."""
    missing: int = 0
    """Frames that are lacking between the time stamps of those that arrived."""
    out_of_order: int = 0
    """Frames with an older time stamp than the one before them."""
    duplicate: int = 0
    """Frames whose time stamp had come already."""
    late: int = 0
    """Frames whose row had left before they came."""
    ahead: int = 0
    """Frames further in the future than the lead time."""
    between: int = 0
    """Frames of no reporting time of the output, from an input of the output's rate."""
    downsampled: int = 0
    """Frames left out because the output has fewer reporting times."""
    by_arrival: int = 0
    """Frames sorted by their arrival, because their PMUs' clocks are not in sync."""
    bad_time: int = 0
    """Frames left out because their PMUs' clocks are not in sync."""
    bad_values: int = 0
    """Blocks that could not be written in the output's format."""
    clock_jumps: int = 0
    """How often time stamps moved by more than a second against the local clock."""
    configuration_changes: int = 0
    """Configurations that differ from the one before."""
    latency: Latencies = field(default_factory=Latencies)
    """From time stamp to arrival by the local clock."""

    @property
    def expected(self) -> int:
        """Frames that should have come, by the time stamps of those that did."""
        return self.received - self.duplicate + self.missing


@dataclass(kw_only=True, slots=True)
class OutputCounts:
    """Counters of the output's rows."""

    published: int = 0
    """Rows sent."""
    incomplete: int = 0
    """Of these, rows without all PMUs."""
    skipped: int = 0
    """Reporting times between published rows for which nothing came."""
    blocks_expected: int = 0
    """PMU blocks in the published rows."""
    absent: dict[int, int] = field(default_factory=dict)
    """Of these the absent ones, by the PMU's id in the output."""
    rebased: int = 0
    """How often a new timeline was begun after the first."""
    alignment: Latencies = field(default_factory=Latencies)
    """From a row's last arrival to its being sent."""
    total: Latencies = field(default_factory=Latencies)
    """From a row's time stamp to its being sent, by the local clock."""
