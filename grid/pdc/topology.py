"""What one PDC receives and sends: the model that YAML, MySQL and the cache share."""

from dataclasses import dataclass

DIGITALS_A_WORD = 16


@dataclass(frozen=True, kw_only=True)
class Phasor:
    """One phasor of a PMU."""

    label: str
    """Channel name, at most 16 characters."""
    type: str
    """V for voltage, I for current."""
    phase: str
    """A, B, C, + (positive), - (negative) or 0 (zero sequence)."""


@dataclass(frozen=True, kw_only=True)
class Pmu:
    """One PMU, received through an input and sent on in the output stream."""

    name: str
    """Station name in the output stream, at most 16 characters, unique in the PDC."""
    idcode: int
    """The PMU's own id, 1..65534, unique in the PDC; the input's CFG-2 is searched for it."""
    phasors: tuple[Phasor, ...]
    """The first, second, ... phasor of the input's PMU."""
    analogs: tuple[str, ...] = ()
    """Names of its analog values, in the input's order."""
    digitals: tuple[tuple[str, ...], ...] = ()
    """Names of the inputs of each digital word, bit 0 first, at most 16."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One stream that the PDC receives: that of a PMU, or that of another PDC."""

    name: str
    """How messages call it; a PMU's input carries the PMU's name."""
    host: str
    """Name or address to connect to."""
    port: int
    """TCP port there."""
    idcode: int
    """IDCODE of the stream."""
    pmus: tuple[Pmu, ...]
    """The PMUs in it that are sent on."""
    concentrator: bool
    """True for another PDC's stream, False for a single PMU's."""
    silence_s: float = 1.0
    """Without data frames for this long, the peer counts as dead (DataLossInterval)."""
    retry_s: float = 1.0
    """The longest pause between attempts to connect (DelayedConnectionInterval); the
    first is 0.1 s."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What the PDC sends."""

    name: str
    """How messages and openPDC call the stream."""
    idcode: int
    """IDCODE of the stream."""
    port: int = 4712
    """TCP port that is listened on."""
    rate: int = 50
    """Frames a second."""
    nominal_hz: int = 50
    """50 or 60."""
    float_format: bool = True
    """Numbers as 32-bit floats, or as scaled 16-bit integers."""
    polar: bool = False
    """Phasors as magnitude and angle, or as real and imaginary part."""
    lag_time_s: float = 0.2
    """How long a frame waits, from its first arrival, for the PMUs that are missing in it."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """All of one PDC."""

    node: str
    """Name of openPDC's Node that all rows belong to."""
    stream: Stream
    """What it sends."""
    inputs: tuple[Input, ...]
    """What it receives."""

    @property
    def pmus(self) -> tuple[Pmu, ...]:
        """All PMUs, in the order of the output stream."""
        return tuple(pmu for source in self.inputs for pmu in source.pmus)
