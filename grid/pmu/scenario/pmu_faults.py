"""Faults of a PMU: STAT bits, a lost clock, wrong CRCs, missing frames, other channels."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grid.c37118 import QUALITY_UNKNOWN, Stat
from grid.pmu.clock import ClockState, within
from grid.pmu.signals.schedule import NS, Span

CHANGE_FLAG_S = 60.0
"""How long STAT tells a change of the configuration."""


@dataclass(frozen=True, kw_only=True)
class StatusFlags:
    """STAT bits of a span: a data error, a trigger, sorting by arrival."""

    span: Span
    """When."""
    bits: Mapping[str, Any]
    """Fields of c37118.Stat and their values."""

    def mark(self, stat: Stat, ns: int) -> Stat:
        """Return the STAT of a time, ns since 1970-01-01 UTC."""
        return replace(stat, **self.bits) if self.span.covers(ns) else stat


@dataclass(frozen=True, kw_only=True)
class ClockLoss:
    """A clock that has lost its reference, and drifts."""

    span: Span
    """When."""
    drift_us_s: float
    """How fast the largest time error grows."""

    def state(self, state: ClockState, ns: int) -> ClockState:
        """Return what is claimed about the clock at a time."""
        found = self.span.schedule.occurrence(ns)
        if found is None or not self.span.covers(ns):
            return state
        age = found[1]
        claimed = within(max(1e-9, age * self.drift_us_s / 1e6))
        return replace(
            claimed,
            quality=replace(state.quality, code=max(state.quality.code, claimed.quality.code)),
            pmu_quality=max(state.pmu_quality, min(claimed.pmu_quality, QUALITY_UNKNOWN)),
            synchronized=False,
            unlocked=sum(age >= limit for limit in (10, 100, 1000)),
        )


@dataclass(frozen=True, kw_only=True)
class WrongCrc:
    """Frames with a wrong CRC."""

    span: Span
    """When."""
    every: int
    """1: each frame, 10: one in ten."""

    def spoils(self, slot: int, ns: int) -> bool:
        """Tell whether the frame of a slot is to be spoilt."""
        return slot % self.every == 0 and self.span.covers(ns)


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A span without data frames; commands are answered."""

    span: Span
    """When."""


@dataclass(frozen=True, kw_only=True)
class StampOffset:
    """Frames stamped off their time, as by a clock that was set wrongly."""

    span: Span
    """When."""
    offset_ns: int
    """Added to each stamp."""


@dataclass(frozen=True, kw_only=True)
class DigitalInputs:
    """Digital inputs that are 1."""

    span: Span
    """When."""
    inputs: frozenset[str]
    """Their names."""


@dataclass(frozen=True, kw_only=True)
class ConfigurationChange:
    """A span with other phasors; each change counts in CFGCNT.

    STAT bit 10 is 1 for the minute after a change in version 2005. In version 2011 it is 1
    for the minute before one, and 0 from the first frame of the new configuration on.
    """

    span: Span
    """When the other phasors are sent."""
    phasors: tuple[str, ...]
    """Labels of those that are sent, in this order."""

    def flagged(self, ns: int, *, before: bool) -> bool:
        """Tell whether STAT bit 10 is set."""
        reach = round(CHANGE_FLAG_S * NS)
        if before:
            return self.span.edges(ns + reach) != self.span.edges(ns)
        return self.span.edges(ns) != self.span.edges(ns - reach)


PmuFault = (
    StatusFlags | ClockLoss | WrongCrc | Silence | StampOffset | DigitalInputs | ConfigurationChange
)


@dataclass(frozen=True, kw_only=True)
class PmuFaults:
    """The faults of one PMU, by what they touch."""

    flags: tuple[StatusFlags, ...] = ()
    """Change STAT."""
    clock_losses: tuple[ClockLoss, ...] = ()
    """Change what is claimed about the clock."""
    crcs: tuple[WrongCrc, ...] = ()
    """Spoil frames."""
    silences: tuple[Silence, ...] = ()
    """Hold frames back."""
    stamps: tuple[StampOffset, ...] = ()
    """Shift stamps."""
    digitals: tuple[DigitalInputs, ...] = ()
    """Set digital inputs."""
    changes: tuple[ConfigurationChange, ...] = ()
    """Change the configuration."""

    @functools.cached_property
    def none(self) -> bool:
        """Whether there are no faults at all."""
        return self == PmuFaults()

    @classmethod
    def of(cls, faults: list[PmuFault]) -> "PmuFaults":
        """Sort a PMU's faults."""
        return cls(
            flags=tuple(fault for fault in faults if isinstance(fault, StatusFlags)),
            clock_losses=tuple(fault for fault in faults if isinstance(fault, ClockLoss)),
            crcs=tuple(fault for fault in faults if isinstance(fault, WrongCrc)),
            silences=tuple(fault for fault in faults if isinstance(fault, Silence)),
            stamps=tuple(fault for fault in faults if isinstance(fault, StampOffset)),
            digitals=tuple(fault for fault in faults if isinstance(fault, DigitalInputs)),
            changes=tuple(fault for fault in faults if isinstance(fault, ConfigurationChange)),
        )
