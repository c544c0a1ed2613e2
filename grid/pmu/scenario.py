"""A scenario: which PMUs there are, what grid they see, and what happens."""

from dataclasses import dataclass, field

from grid.documents.channels import Phasor
from grid.pmu.captured import Captured
from grid.pmu.clock import UNKNOWN, Clock, FixedClock
from grid.pmu.disturbance import Disturbance
from grid.pmu.faults import Fault
from grid.pmu.layout import Layout
from grid.pmu.signal import Ambient, Disturbed, Level, Line, Noise, Source, shared
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
class Pmu:
    """One PMU, and the stream that it sends."""

    layout: Layout
    """Station and channels; the station's IDCODE is the stream's as well."""
    rate: int = 50
    """Frames a second; below 0 seconds a frame."""
    version: int = 2
    """Of the frames: 1 for 2005, 2 for 2011."""
    time_base: int = 1_000_000
    """Fractions of a second are counted in 1/TIME_BASE s."""
    level: Level = field(default_factory=Level)
    """The undisturbed line."""
    replay: Source | None = None
    """Recorded signals instead of a line."""
    header: str = ""
    """Text of the header frame; empty: a sentence about the simulator."""
    addresses: tuple[Address, ...] = ()
    """Where the stream is served."""

    @property
    def name(self) -> str:
        """The station's name."""
        return self.layout.station.name

    @property
    def idcode(self) -> int:
        """The id of station and stream."""
        return self.layout.station.idcode


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens to some PMUs."""

    what: Disturbance | Fault
    """The event itself."""
    shares: dict[str, float] | None = None
    """PMUs by name, with their share in a disturbance; None: all, with share 1."""

    def share(self, name: str) -> float:
        """Return a PMU's share; 0: it isn't touched."""
        return 1.0 if self.shares is None else self.shares.get(name, 0.0)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that one process simulates."""

    pmus: tuple[Pmu, ...] = ()
    """PMUs with signals."""
    captures: tuple[Captured, ...] = ()
    """Streams that were captured; events don't touch them."""
    events: tuple[Event, ...] = ()
    """In any order."""
    seed: int = 1
    """PMUs with one seed see one grid."""
    noise: float = NOISE
    """Standard deviation of the relative noise of each phasor."""
    wander_hz: float = WANDER_HZ
    """How far the frequency wanders by itself."""
    clock: Clock = field(default_factory=lambda: FixedClock(UNKNOWN))
    """What the frames say about the clock."""


class Sources:
    """Makes the PMUs' sources, which share what is the same for all of them."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._ambient = Ambient(seed=scenario.seed, wander_hz=scenario.wander_hz)
        self._disturbances: list[tuple[Event, Disturbance]] = [
            (event, shared(event.what))
            for event in scenario.events
            if not isinstance(event.what, Fault)
        ]
        self.noise = Noise(seed=scenario.seed, deviation=scenario.noise)
        """For the phasors of all."""

    def of(self, pmu: Pmu) -> Source:
        """Return what a PMU sees, without noise."""
        source = pmu.replay or Line(
            ambient=self._ambient, level=pmu.level, seed=self._scenario.seed, place=pmu.idcode
        )
        touching = [
            (what, event.share(pmu.name))
            for event, what in self._disturbances
            if event.share(pmu.name)
        ]
        return Disturbed(source, touching) if touching else source
