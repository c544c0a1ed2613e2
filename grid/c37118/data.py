"""Data frames (6.5). Their layout is known only with the stream's configuration."""

import struct
from dataclasses import dataclass

from grid.c37118 import envelope
from grid.c37118.clocks import Stamp
from grid.c37118.configuration import Configuration
from grid.c37118.errors import FrameError
from grid.c37118.station import Station
from grid.c37118.status import Stat


@dataclass(frozen=True, kw_only=True, slots=True)
class PmuData:
    """One PMU's block, with the numbers as they stand on the wire.

    values.read() turns them into volts, amperes and hertz. (A signalling NaN is the
    one bit pattern that does not survive: reading it makes it a quiet NaN.)
    """

    stat: Stat
    """How good the data are."""
    phasors: tuple[tuple[float, float], ...]
    """Real and imaginary part, or magnitude and angle."""
    frequency: float
    """FREQ: mHz off nominal as integer, Hz as float."""
    rocof: float
    """DFREQ: 0.01 Hz/s as integer, Hz/s as float."""
    analogs: tuple[float, ...] = ()
    """Analog values."""
    digitals: tuple[int, ...] = ()
    """Digital words of 16 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFrame:
    """The measurements of all PMUs of a stream at one time."""

    idcode: int
    """The stream's id."""
    stamp: Stamp
    """The time of the measurement."""
    pmus: tuple[PmuData, ...]
    """One a PMU, in the configuration's order."""
    version: int = envelope.VERSION_2011
    """1 for 2005, 2 for 2011."""


def layout(station: Station) -> str:
    """Return the struct characters of one PMU's block, big-endian order left out."""
    form = station.format
    integers = "Hh" if form.polar else "hh"
    phasor = "ff" if form.float_phasors else integers
    return (
        "H"
        + phasor * len(station.phasors)
        + ("ff" if form.float_frequency else "hh")
        + ("f" if form.float_analogs else "h") * len(station.analogs)
        + "H" * len(station.digital_units)
    )


class BlockCodec:
    """Reads and writes one PMU's block; compiled once for its configuration."""

    def __init__(self, station: Station) -> None:
        self._struct = struct.Struct(">" + layout(station))
        self.size = self._struct.size
        """Bytes of the block."""
        self._analogs = 3 + 2 * len(station.phasors)
        self._digitals = self._analogs + len(station.analogs)
        self._counts = (len(station.phasors), len(station.analogs), len(station.digital_units))

    def decode(self, block: bytes, offset: int = 0) -> PmuData:
        """Read the block at `offset`."""
        try:
            values = self._struct.unpack_from(block, offset)
        except struct.error as error:
            raise FrameError(f"the block of a PMU is cut off: {error}") from error
        split = self._analogs
        phasors = values[1 : split - 2]
        return PmuData(
            stat=Stat.from_word(values[0]),
            phasors=tuple(zip(phasors[::2], phasors[1::2], strict=True)),
            frequency=values[split - 2],
            rocof=values[split - 1],
            analogs=values[split : self._digitals],
            digitals=values[self._digitals :],
        )

    def encode(self, data: PmuData) -> bytes:
        """Return the block; FrameError if a number does not fit its format."""
        counts = (len(data.phasors), len(data.analogs), len(data.digitals))
        if counts != self._counts:
            raise FrameError(
                f"the data have {counts} phasors, analogs and digital words, "
                f"the configuration {self._counts}"
            )
        flat = [number for pair in data.phasors for number in pair]
        try:
            return self._struct.pack(
                data.stat.to_word(),
                *flat,
                data.frequency,
                data.rocof,
                *data.analogs,
                *data.digitals,
            )
        except (struct.error, OverflowError) as error:
            raise FrameError(f"a value does not fit the configured format: {error}") from error


class DataCodec:
    """Reads and writes the data frames of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        """What the frames are read with."""
        self._blocks = tuple(BlockCodec(station) for station in configuration.stations)
        self._offsets: list[int] = []
        at = envelope.HEAD
        for block in self._blocks:
            self._offsets.append(at)
            at += block.size
        self.size = at + 2
        """Bytes of every data frame."""
        if self.size > envelope.MAX_SIZE:
            raise FrameError(f"this configuration needs data frames of {self.size} bytes")

    def decode(self, frame: bytes) -> DataFrame:
        """Read a whole frame; FrameError if it is not a data frame of this configuration."""
        head = self._check(frame)
        return DataFrame(
            idcode=head.idcode,
            stamp=head.stamp,
            pmus=tuple(
                block.decode(frame, offset)
                for block, offset in zip(self._blocks, self._offsets, strict=True)
            ),
            version=head.version,
        )

    def split(self, frame: bytes) -> tuple[Stamp, list[bytes]]:
        """Return the stamp and each PMU's block, undecoded: what a PDC passes on."""
        head = self._check(frame)
        blocks = [
            frame[offset : offset + block.size]
            for block, offset in zip(self._blocks, self._offsets, strict=True)
        ]
        return head.stamp, blocks

    def stat_words(self, frame: bytes) -> tuple[int, ...]:
        """Return each PMU's STAT of a frame of the right size, without reading the rest."""
        return tuple(frame[offset] << 8 | frame[offset + 1] for offset in self._offsets)

    def join(self, stamp: Stamp, blocks: list[bytes]) -> bytes:
        """Return the frame of undecoded blocks; the counterpart of split()."""
        frame = envelope.pack(self._envelope(stamp), b"".join(blocks))
        if len(frame) != self.size:
            raise FrameError(f"the blocks make {len(frame)} bytes, the frame needs {self.size}")
        return frame

    def encode(self, data: DataFrame) -> bytes:
        """Return the frame's bytes; FrameError if they contradict the configuration."""
        if len(data.pmus) != len(self._blocks):
            raise FrameError(
                f"data of {len(data.pmus)} PMUs, the configuration has {len(self._blocks)}"
            )
        body = b"".join(
            block.encode(pmu) for block, pmu in zip(self._blocks, data.pmus, strict=True)
        )
        head = envelope.Envelope(
            type=envelope.FrameType.DATA,
            version=data.version,
            idcode=data.idcode,
            stamp=data.stamp,
        )
        return envelope.pack(head, body)

    def _envelope(self, stamp: Stamp) -> envelope.Envelope:
        return envelope.Envelope(
            type=envelope.FrameType.DATA,
            version=self.configuration.version,
            idcode=self.configuration.idcode,
            stamp=stamp,
        )

    def _check(self, frame: bytes) -> envelope.Envelope:
        head = envelope.read(frame)
        if head.type is not envelope.FrameType.DATA:
            raise FrameError(f"a {head.type.name} frame is no data frame")
        if len(frame) != self.size:
            raise FrameError(
                f"a data frame of {len(frame)} bytes contradicts the configuration "
                f"({self.size} bytes): the sender changed its configuration"
            )
        return head
