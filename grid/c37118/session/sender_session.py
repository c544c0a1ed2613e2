"""The sender's half of a session with one client, without any input or output of its own.

A sender feeds it what the client sends, and acts on its events. Data frames do not pass
through it: whether the client gets them is all that it says.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from grid.c37118.errors import FrameError
from grid.c37118.frames.command import Command, CommandFrame
from grid.c37118.session.answers import Answer, answer_frames
from grid.c37118.session.reassembler import Reassembler


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The client sent its first command; a probe that only connects never does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The answer to a command is to be sent to the client."""

    frames: tuple[bytes, ...]
    """Whole frames, in their order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSwitch:
    """The client turned data on or off."""

    on: bool
    """Whether it wants data frames from now on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BadRequest:
    """The client sent something that is ignored; the session goes on."""

    kind: str
    """The same for all of one kind, so that each kind need be logged only once."""
    what: str
    """The end of a sentence that begins with the client, for the log."""


SenderEvent = SessionOpened | Reply | DataSwitch | BadRequest
"""What a session makes of received bytes."""


@dataclass(kw_only=True, slots=True)
class CommandCounts:
    """What clients sent that could not be obeyed."""

    bad_crcs: int = 0
    """Frames with a wrong CRC."""
    skipped_bytes: int = 0
    """Bytes that belonged to no valid frame."""
    bad_frames: int = 0
    """Valid frames that are no command."""
    wrong_idcodes: int = 0
    """Commands for another IDCODE."""
    unanswered: int = 0
    """Commands to which this sender has no answer."""


class SenderSession:
    """Reads a client's commands, and finds the answers.

    `idcode` is the id that commands must carry, `answer` returns the frames of a command.
    `counts` is shared by the sessions of a sender where the caller gives one.
    """

    def __init__(self, idcode: int, answer: Answer, *, counts: CommandCounts | None = None) -> None:
        self.counts = CommandCounts() if counts is None else counts
        """What could not be obeyed so far."""
        self._idcode = idcode
        self._answer = answer
        self._reassembler = Reassembler()
        self._opened = False

    def feed(self, data: bytes) -> Iterator[SenderEvent]:
        """Take bytes of a connection, and yield what they ask for."""
        return self._feed(self._reassembler, data, ends=False)

    def feed_datagram(self, data: bytes) -> Iterator[SenderEvent]:
        """Take one datagram: frames do not go on in the next one."""
        return self._feed(Reassembler(), data, ends=True)

    def _feed(self, reader: Reassembler, data: bytes, *, ends: bool) -> Iterator[SenderEvent]:
        skipped, bad = reader.skipped_bytes, reader.bad_crcs
        frames = reader.feed(data)
        if ends:
            reader.end()
        for frame in frames:
            yield from self._obey(frame)
        if reader.skipped_bytes != skipped:
            self.counts.skipped_bytes += reader.skipped_bytes - skipped
            self.counts.bad_crcs += reader.bad_crcs - bad
            what = "sent bytes that are no C37.118 frame; they are skipped"
            yield BadRequest(kind="garbage", what=what)

    def _obey(self, frame: bytes) -> Iterator[SenderEvent]:
        """Yield what one frame with a valid CRC asks for."""
        counts = self.counts
        try:
            request = CommandFrame.decode(frame)
        except FrameError as error:
            counts.bad_frames += 1
            what = f"sent a frame that is no command, it is ignored: {error}"
            yield BadRequest(kind="frame", what=what)
            return
        if request.idcode != self._idcode:
            counts.wrong_idcodes += 1
            what = (
                f"ignored a command for IDCODE {request.idcode}, this stream "
                f"is {self._idcode}: set the client's device id"
            )
            yield BadRequest(kind="idcode", what=what)
            return
        if not self._opened:
            self._opened = True
            yield SessionOpened()
        command = request.command
        if command in (Command.DATA_ON, Command.DATA_OFF):
            yield DataSwitch(on=command == Command.DATA_ON)
            return
        frames = answer_frames(self._answer, command)
        if frames is None:
            counts.unanswered += 1
            what = f"sent command {command}, it has no answer"
            yield BadRequest(kind=f"command {command}", what=what)
        else:
            yield Reply(frames=frames)
