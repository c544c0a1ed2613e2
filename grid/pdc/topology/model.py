"""The topology of a PDC, what it receives and sends: shared by YAML, MySQL and the cache."""

import enum
from dataclasses import dataclass, field

from grid.documents.channels import Phasor
from grid.pdc.alignment.timeline import WaitPolicy
from grid.transport.address import Address


class BadTime(enum.StrEnum):
    """The treatment of frames whose PMUs all report that their clock is not in sync."""

    USE = "use"
    """Their time stamps are used (openPDC's IgnoreBadTimeStamps)."""
    ARRIVAL = "arrival"
    """They are sorted by their arrival, and STAT bit 12 says so (AllowSortsByArrival)."""
    DROP = "drop"
    """They are left out."""


class Downsampling(enum.StrEnum):
    """Which of an input's frames is taken when the output has fewer (DownsamplingMethod)."""

    CLOSEST = "closest"
    """The one nearest to the reporting time."""
    LAST_RECEIVED = "last-received"
    """The last one that is nearer to this reporting time than to another."""


@dataclass(frozen=True, kw_only=True)
class Pmu:
    """One PMU, received through an input and sent on in the output stream."""

    name: str
    """Station name in the output stream, at most 16 characters, unique in the PDC."""
    idcode: int
    """The PMU's own id, 1..65534; the input's CFG-2 is searched for it."""
    phasors: tuple[Phasor, ...]
    """The first, second, ... phasor of the input's PMU."""
    analogs: tuple[str, ...] = ()
    """Names of its analog values, in the input's order."""
    digitals: tuple[tuple[str, ...], ...] = ()
    """Names of the inputs of each digital word, bit 0 first, at most 16."""
    output_idcode: int | None = None
    """Its id in the output, for two PMUs with one id; None for the same id."""

    @property
    def output_id(self) -> int:
        """The id in the output stream, unique there."""
        return self.idcode if self.output_idcode is None else self.output_idcode


@dataclass(frozen=True, kw_only=True)
class InputStream:
    """One stream that the PDC receives: that of a PMU, or that of another PDC."""

    name: str
    """How messages call it; a PMU's input carries the PMU's name."""
    address: Address
    """The address of its sender."""
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
class OutputStream:
    """The stream that the PDC sends."""

    name: str
    """How messages and openPDC call the stream."""
    idcode: int
    """IDCODE of the stream."""
    address: Address = field(default_factory=Address)
    """The address that takes commands, and its transport."""
    destinations: tuple[Address, ...] = ()
    """Destinations of spontaneous data; multicast groups share interface and TTL."""
    rate: int = 50
    """Frames a second."""
    nominal_hz: int = 50
    """50 or 60."""
    float_format: bool = True
    """Numbers as 32-bit floats, or as scaled 16-bit integers."""
    polar: bool = False
    """Phasors as magnitude and angle, or as real and imaginary part."""
    lag_time_s: float = 0.2
    """How long a frame waits for the PMUs that are missing in it (LagTime): from its first
    arrival, or from its time stamp if `absolute_wait` is set."""
    lead_time_s: float = 1.0
    """Frames further in the future than this are not taken (LeadTime)."""
    absolute_wait: bool = False
    """The local clock is real time (UseLocalClockAsRealTime)."""
    preemptive: bool = True
    """A frame leaves as soon as nothing more can come for it (AllowPreemptivePublishing)."""
    downsampling: Downsampling = Downsampling.CLOSEST
    """Which frames of a faster input are taken."""
    bad_time: BadTime = BadTime.USE
    """What happens to frames of clocks that are not in sync."""

    @property
    def wait(self) -> WaitPolicy:
        """How long rows wait."""
        return WaitPolicy(
            lag_s=self.lag_time_s,
            lead_s=self.lead_time_s,
            absolute=self.absolute_wait,
            preemptive=self.preemptive,
        )


class MqttPayload(enum.StrEnum):
    """What an MQTT message carries."""

    JSON = "json"
    """One PMU's values in physical units."""
    RAW = "raw"
    """The whole C37.118 data frame."""


@dataclass(frozen=True, kw_only=True)
class MqttBroker:
    """A broker that gets the output too. User and password come from the environment."""

    host: str
    """The broker's name or address."""
    port: int
    """Its port."""
    tls: bool = False
    """Whether the connection is encrypted, and the broker's certificate checked."""
    ca_file: str = ""
    """Certificates to check it with; empty: those of the system."""
    topic: str = "grid"
    """Messages of a PMU go to TOPIC/STREAM/PMU, raw frames to TOPIC/STREAM."""
    payload: MqttPayload = MqttPayload.JSON
    """What a message carries."""
    queue_frames: int = 500
    """Frames that wait for the broker at most; more are dropped, the oldest first."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The inputs and outputs of one PDC."""

    node: str
    """Name of openPDC's Node that all rows belong to."""
    stream: OutputStream
    """What it sends."""
    inputs: tuple[InputStream, ...]
    """What it receives."""
    mqtt: MqttBroker | None = None
    """A broker that gets the output too; None for none."""

    @property
    def pmus(self) -> tuple[Pmu, ...]:
        """All PMUs, in the order of the output stream."""
        return tuple(pmu for input_stream in self.inputs for pmu in input_stream.pmus)
