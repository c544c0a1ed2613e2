"""Command and header frames (6.3 and 6.6)."""

import enum
import time
from dataclasses import dataclass

from grid.c37118.errors import FrameError
from grid.c37118.frames import envelope
from grid.c37118.frames.clocks import UNRELIABLE, Stamp, TimeQuality

_TIME_BASE = 1_000_000
"""Of the commands to a sender whose TIME_BASE is not known yet."""


class Command(enum.IntEnum):
    """The commands of the standard (table 15); users may define others."""

    DATA_OFF = 1
    DATA_ON = 2
    SEND_HEADER = 3
    SEND_CFG1 = 4
    SEND_CFG2 = 5
    SEND_CFG3 = 6
    EXTENDED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandFrame:
    """A command of a receiver to a sender."""

    idcode: int
    """The id of the stream that is asked."""
    stamp: Stamp
    """When it was sent."""
    command: int
    """A value of Command, or a user's own 16 bits."""
    extended: bytes = b""
    """The extended frame that follows the command word of EXTENDED."""
    version: int = envelope.VERSION_2011
    """1 for 2005, 2 for 2011."""

    @classmethod
    def now(cls, command: int, *, idcode: int, time_base: int | None = None) -> "CommandFrame":
        """Return a command with the time of this computer's clock, marked as unreliable.

        `time_base` is the sender's, which holds for what is sent to it too (6.2); None as
        long as it is unknown.
        """
        quality = TimeQuality(code=UNRELIABLE)
        stamp = Stamp.from_ns(time.time_ns(), time_base or _TIME_BASE, quality)
        return cls(idcode=idcode, stamp=stamp, command=command)

    @classmethod
    def decode(cls, frame: bytes) -> "CommandFrame":
        """Read a whole frame; FrameError if it is no command frame."""
        head, body = envelope.unpack(frame)
        if head.type is not envelope.FrameType.COMMAND:
            raise FrameError(f"a {head.type.name} frame is no command frame")
        if len(body) < 2:
            raise FrameError("the command frame has no command word")
        return cls(
            idcode=head.idcode,
            stamp=head.stamp,
            command=int.from_bytes(body[:2], "big"),
            extended=body[2:],
            version=head.version,
        )

    def encode(self) -> bytes:
        """Return the frame's bytes."""
        if not 0 <= self.command <= 0xFFFF:
            raise FrameError(f"command {self.command} does not fit into 16 bits")
        head = envelope.Envelope(
            type=envelope.FrameType.COMMAND,
            version=self.version,
            idcode=self.idcode,
            stamp=self.stamp,
        )
        return envelope.pack(head, self.command.to_bytes(2, "big") + self.extended)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderFrame:
    """A header frame: text about a stream, for people."""

    idcode: int
    """The stream that the text describes."""
    stamp: Stamp
    """When it was sent."""
    text: str
    """The text; ASCII by the standard, every byte is read as Latin-1."""
    version: int = envelope.VERSION_2011
    """1 for 2005, 2 for 2011."""

    @classmethod
    def decode(cls, frame: bytes) -> "HeaderFrame":
        """Read a whole frame; FrameError if it is no header frame."""
        head, body = envelope.unpack(frame)
        if head.type is not envelope.FrameType.HEADER:
            raise FrameError(f"a {head.type.name} frame is no header frame")
        return cls(
            idcode=head.idcode,
            stamp=head.stamp,
            text=body.decode("latin-1"),
            version=head.version,
        )

    def encode(self) -> bytes:
        """Return the frame's bytes."""
        head = envelope.Envelope(
            type=envelope.FrameType.HEADER,
            version=self.version,
            idcode=self.idcode,
            stamp=self.stamp,
        )
        try:
            body = self.text.encode("latin-1")
        except UnicodeEncodeError as error:
            raise FrameError(f"the header text has a character outside Latin-1: {error}") from error
        return envelope.pack(head, body)
