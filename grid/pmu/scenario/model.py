"""The model of a scenario: its PMUs, their grid, and the events."""

from dataclasses import dataclass, field

from grid.documents.channels import Phasor
from grid.pmu.clock import UNKNOWN, Clock, FixedClock
from grid.pmu.scenario.captured import Captured
from grid.pmu.scenario.pmu_channels import PmuChannels
from grid.pmu.scenario.pmu_faults import PmuFault
from grid.pmu.signals.disturbance import Disturbance
from grid.pmu.signals.signal import LineLevel, Signal
from grid.transport.address import Address

PHASORS = tuple(
    Phasor(label=type_ + phase, type=type_, phase=phase) for type_ in "VI" for phase in "ABC"
)
"""What a PMU sends where nothing else is said."""
NOISE = 1e-4
"""Standard deviation of the relative noise of each phasor."""
WANDER_HZ = 0.02
"""How far the frequency of an undisturbed grid wanders."""


@dataclass(frozen=True, kw_only=True)
class SimulatedPmu:
    """One PMU, and the stream that it sends."""

    channels: PmuChannels
    """Station and channels; the station's IDCODE is the stream's as well."""
    rate: int = 50
    """Frames a second; below 0 seconds a frame."""
    version: int = 2
    """Of the frames: 1 for 2005, 2 for 2011."""
    time_base: int = 1_000_000
    """Fractions of a second are counted in 1/TIME_BASE s."""
    level: LineLevel = field(default_factory=LineLevel)
    """The undisturbed line."""
    replay: Signal | None = None
    """Recorded signals instead of a line."""
    header: str = ""
    """Text of the header frame; empty: a sentence about the simulator."""
    addresses: tuple[Address, ...] = ()
    """The addresses that serve the stream."""

    @property
    def name(self) -> str:
        """The station's name."""
        return self.channels.station.name

    @property
    def idcode(self) -> int:
        """The id of station and stream."""
        return self.channels.station.idcode


@dataclass(frozen=True, kw_only=True)
class ScenarioEvent:
    """An event that touches some or all PMUs: a disturbance of the grid, or a fault of a PMU."""

    what: Disturbance | PmuFault
    """The event itself."""
    shares: dict[str, float] | None = None
    """PMUs by name, with their share in a disturbance; None: all, with share 1."""

    def share(self, name: str) -> float:
        """Return a PMU's share; 0: it isn't touched."""
        return 1.0 if self.shares is None else self.shares.get(name, 0.0)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that one process simulates."""

    pmus: tuple[SimulatedPmu, ...] = ()
    """PMUs with signals."""
    captures: tuple[Captured, ...] = ()
    """Streams that were captured; events don't touch them."""
    events: tuple[ScenarioEvent, ...] = ()
    """In any order."""
    seed: int = 1
    """PMUs with one seed see one grid."""
    noise: float = NOISE
    """Standard deviation of the relative noise of each phasor."""
    wander_hz: float = WANDER_HZ
    """How far the frequency wanders by itself."""
    clock: Clock = field(default_factory=lambda: FixedClock(UNKNOWN))
    """What the frames say about the clock."""
