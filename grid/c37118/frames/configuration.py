"""CFG-1 and CFG-2 (6.4): what a sender is able to send, and what it sends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from grid.c37118.errors import FrameError
from grid.c37118.frames import envelope
from grid.c37118.frames.body_reader import BodyReader
from grid.c37118.frames.clocks import Stamp
from grid.c37118.frames.envelope import FrameType
from grid.c37118.frames.station import Station, encode_word


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """A CFG-1 or CFG-2 frame; data frames can only be read with the stream's CFG-2."""

    idcode: int
    """The stream's id."""
    stamp: Stamp
    """When it was sent."""
    time_base: int
    """Fractions of a second are counted in 1/TIME_BASE s, 1..16777215."""
    stations: tuple[Station, ...]
    """The PMUs, in the order of their blocks in a data frame."""
    data_rate: int
    """Above 0 frames a second, below 0 seconds a frame."""
    type: FrameType = FrameType.CFG2
    """CFG1: what the sender is able to send; CFG2: what it sends."""
    time_base_flags: int = 0
    """Bits 31-24 of TIME_BASE, reserved; kept for a faithful encode."""
    version: int = envelope.VERSION_2011
    """1 for 2005, 2 for 2011."""

    @property
    def frames_per_second(self) -> float:
        """The rate of data frames; FrameError where the frame says 0."""
        return frames_per_second(self.data_rate)

    def same(self, other: object) -> bool:
        """Tell whether `other` differs in nothing but the time stamp."""
        return isinstance(other, Configuration) and replace(self, stamp=other.stamp) == other

    @classmethod
    def decode(cls, frame: bytes) -> "Configuration":
        """Read a whole frame; FrameError if it is no CFG-1 or CFG-2."""
        head, body = envelope.unpack(frame)
        if head.type not in (FrameType.CFG1, FrameType.CFG2):
            raise FrameError(f"a {head.type.name} frame is neither CFG-1 nor CFG-2")
        time_base, flags, stations, data_rate = decode_content(body, Station.decode)
        return cls(
            idcode=head.idcode,
            stamp=head.stamp,
            time_base=time_base,
            time_base_flags=flags,
            stations=stations,
            data_rate=data_rate,
            type=head.type,
            version=head.version,
        )

    def encode(self) -> bytes:
        """Return the frame's bytes; FrameError if a field does not fit."""
        if self.type not in (FrameType.CFG1, FrameType.CFG2):
            raise FrameError(f"a configuration is CFG1 or CFG2, not {self.type.name}")
        head = envelope.Envelope(
            type=self.type, version=self.version, idcode=self.idcode, stamp=self.stamp
        )
        content = encode_content(
            self.time_base, self.time_base_flags, self.stations, self.data_rate
        )
        return envelope.pack(head, content)


def frames_per_second(data_rate: int) -> float:
    """Return the rate that DATA_RATE says; FrameError for 0."""
    if data_rate == 0:
        raise FrameError("DATA_RATE 0 is neither frames a second nor seconds a frame")
    return float(data_rate) if data_rate > 0 else 1 / -data_rate


class Encodable(Protocol):
    """One PMU's part of a configuration."""

    def encode(self) -> bytes:
        """Return its bytes."""


_Part = TypeVar("_Part")


def decode_content(
    content: bytes, part: Callable[[BodyReader], _Part]
) -> tuple[int, int, tuple[_Part, ...], int]:
    """Return TIME_BASE, the bits above it, the PMUs' parts and DATA_RATE of any configuration.

    `part` reads that of one PMU. FrameError if bytes are missing or left over.
    """
    reader = BodyReader(content)
    time_base = reader.long("TIME_BASE")
    if not time_base & 0xFFFFFF:
        raise FrameError("TIME_BASE is 0")
    count = reader.word("NUM_PMU")
    parts = tuple(part(reader) for _ in range(count))
    rate = reader.word("DATA_RATE")
    reader.end()
    return time_base & 0xFFFFFF, time_base >> 24, parts, rate - ((rate & 0x8000) << 1)


def encode_content(
    time_base: int, flags: int, stations: Sequence[Encodable], data_rate: int
) -> bytes:
    """Return the bytes that decode_content() reads; FrameError if a field does not fit."""
    return b"".join(
        [
            _time_base(time_base, flags),
            encode_word(len(stations)),
            *(station.encode() for station in stations),
            _rate(data_rate),
        ]
    )


def _time_base(time_base: int, flags: int) -> bytes:
    if not 1 <= time_base <= 0xFFFFFF or not 0 <= flags <= 0xFF:
        raise FrameError(f"TIME_BASE {time_base} is not within 1..16777215")
    return (flags << 24 | time_base).to_bytes(4, "big")


def _rate(data_rate: int) -> bytes:
    if not -0x8000 <= data_rate <= 0x7FFF:
        raise FrameError(f"DATA_RATE {data_rate} does not fit into 16 bits")
    return data_rate.to_bytes(2, "big", signed=True)
