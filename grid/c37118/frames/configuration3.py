"""CFG-3 (6.4.4): long names, float scales, positions; split into fragments where it is long."""

from dataclasses import dataclass, replace

from grid.c37118.errors import FrameError
from grid.c37118.frames import envelope
from grid.c37118.frames.clocks import Stamp
from grid.c37118.frames.configuration import (
    Configuration,
    decode_content,
    encode_content,
    frames_per_second,
)
from grid.c37118.frames.envelope import FrameType
from grid.c37118.frames.station3 import Station3

ONLY, FIRST, LAST = 0, 1, 0xFFFF
"""CONT_IDX of a frame that is the whole configuration, the first of several, the last."""
_OVERHEAD = envelope.OVERHEAD + 2
_SMALLEST_LIMIT = 64
_MOST_BYTES = 1 << 24
"""No configuration is longer; more fragments would only fill the memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration3:
    """A CFG-3; a data frame can be read with it as with the stream's CFG-2."""

    idcode: int
    """The stream's id."""
    stamp: Stamp
    """When it was sent."""
    time_base: int
    """Fractions of a second are counted in 1/TIME_BASE s, 1..16777215."""
    stations: tuple[Station3, ...]
    """The PMUs, in the order of their blocks in a data frame."""
    data_rate: int
    """Above 0 frames a second, below 0 seconds a frame."""
    time_base_flags: int = 0
    """Bits 31-24 of TIME_BASE, reserved; kept for a faithful encode."""
    version: int = envelope.VERSION_2011
    """2 for 2011: the standard of 2005 has no CFG-3."""

    @property
    def frames_per_second(self) -> float:
        """The rate of data frames; FrameError where the frame says 0."""
        return frames_per_second(self.data_rate)

    @classmethod
    def of(cls, configuration: Configuration) -> "Configuration3":
        """Return the content of a CFG-2 as CFG-3."""
        return cls(
            idcode=configuration.idcode,
            stamp=configuration.stamp,
            time_base=configuration.time_base,
            stations=tuple(map(Station3.of, configuration.stations)),
            data_rate=configuration.data_rate,
            time_base_flags=configuration.time_base_flags,
        )

    def same(self, other: object) -> bool:
        """Tell whether `other` differs in nothing but the time stamp."""
        return isinstance(other, Configuration3) and replace(self, stamp=other.stamp) == other

    @classmethod
    def decode(cls, *frames: bytes) -> "Configuration3":
        """Read all frames of a CFG-3, in their order; FrameError if they are not that."""
        fragments = Fragments()
        found = None
        for frame in frames:
            if found is not None:
                raise FrameError("a frame follows the last one of the CFG-3")
            found = fragments.add(frame)
        if found is None:
            raise FrameError("the last frame of the CFG-3 is missing")
        return found

    def encode(self, limit: int = envelope.MAX_SIZE) -> tuple[bytes, ...]:
        """Return the frames, one or more, each of `limit` bytes at most, 64..65535.

        FrameError if a field does not fit.
        """
        if not _SMALLEST_LIMIT <= limit <= envelope.MAX_SIZE:
            raise FrameError(f"a limit of {limit} bytes is not within 64..65535")
        content = encode_content(
            self.time_base, self.time_base_flags, self.stations, self.data_rate
        )
        room = limit - _OVERHEAD
        pieces = [content[at : at + room] for at in range(0, len(content), room)]
        head = envelope.Envelope(
            type=FrameType.CFG3, version=self.version, idcode=self.idcode, stamp=self.stamp
        )
        return tuple(
            envelope.pack(head, _index(number, len(pieces)).to_bytes(2, "big") + piece)
            for number, piece in enumerate(pieces, 1)
        )


class Fragments:
    """Puts the frames of a CFG-3 together as they arrive.

    The standard does not say where a long configuration may be cut. The contents behind
    CONT_IDX are concatenated here, so that a sender may cut anywhere.
    """

    def __init__(self) -> None:
        self._expected = 0
        self._head: envelope.Envelope | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, frame: bytes) -> Configuration3 | None:
        """Take a CFG-3 frame; return the configuration if it was the last one.

        FrameError if it is no CFG-3, or not the expected one; then the next CFG-3 starts afresh.
        """
        head, body = envelope.unpack(frame)
        if head.type is not FrameType.CFG3:
            raise FrameError(f"a {head.type.name} frame is no CFG-3")
        if len(body) < 2:
            raise FrameError("the CFG-3 has no CONT_IDX")
        index, piece = int.from_bytes(body[:2], "big"), body[2:]
        if index == ONLY:
            self._forget()
            return _decode(head, piece)
        if index == FIRST:
            self._forget()
            self._head = head
        elif (
            self._head is None
            or head.idcode != self._head.idcode
            or (index not in (self._expected, LAST))
        ):
            expected = self._expected
            self._forget()
            raise FrameError(f"fragment {index} of a CFG-3 came, and {expected or FIRST} was due")
        self._pieces.append(piece)
        self._size += len(piece)
        self._expected = index + 1
        if self._size > _MOST_BYTES:
            self._forget()
            raise FrameError(f"the CFG-3 is longer than {_MOST_BYTES} bytes")
        if index != LAST:
            return None
        first, content = self._head, b"".join(self._pieces)
        self._forget()
        return _decode(first, content)

    def _forget(self) -> None:
        self._expected, self._head, self._pieces, self._size = 0, None, [], 0


def _decode(head: envelope.Envelope, content: bytes) -> Configuration3:
    time_base, flags, stations, data_rate = decode_content(content, Station3.decode)
    return Configuration3(
        idcode=head.idcode,
        stamp=head.stamp,
        time_base=time_base,
        time_base_flags=flags,
        stations=stations,
        data_rate=data_rate,
        version=head.version,
    )


def _index(number: int, count: int) -> int:
    if count == 1:
        return ONLY
    if number == count:
        return LAST
    if number == LAST:
        raise FrameError(f"a CFG-3 of {count} frames is too long")
    return number
