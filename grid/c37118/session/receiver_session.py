"""The receiver's half of a session, without any input or output of its own.

The asyncio receiver and the blocking client run one ReceiverSession for each connection: they
feed it what they read, send its commands, and act on its events.
"""

import struct
import time
from collections.abc import Iterator

from grid.c37118.errors import FrameError
from grid.c37118.frames import envelope
from grid.c37118.frames.command import Command, CommandFrame
from grid.c37118.frames.configuration import Configuration
from grid.c37118.frames.configuration3 import Configuration3, Fragments
from grid.c37118.frames.data import DataCodec
from grid.c37118.frames.envelope import FrameType, frame_type
from grid.c37118.session.reassembler import Reassembler
from grid.c37118.session.violations import Problem, ReceiverCounts, Violation, ViolationError
from service.once import Once

_ASK_AGAIN_S = 1.0
_SILENT_PERIODS = 2.5
"""Periods of a slow stream without a data frame before it counts as dead."""
_CONFIGURATION_CHANGE = 0x0400
"""STAT bit 10: the sender's configuration changes, or did so within the last minute."""

_NAMES = {
    FrameType.DATA: "data frames carry",
    FrameType.CFG2: "CFG-2 is of",
    FrameType.CFG3: "CFG-3 is of",
}
"""The frames that a receiver reads, with the start of the message on a wrong IDCODE."""

ReceiverEvent = Configuration | Configuration3 | bytes | Problem
"""What a session yields for received bytes; `bytes` is a whole data frame."""


class ReceiverSession:
    """Asks for CFG-2, turns data on, and checks what the sender sends.

    `idcode` is the stream's id; None takes that of the first CFG-2, which only a stream
    without commands can do. The sequence is that of openPDC: data off, SETTLE_S later send
    CFG-2, and on its arrival data on. A data frame that contradicts the configuration, or STAT's
    configuration change bit, makes it ask for CFG-2 again, at most once a second.

    With `details` it asks for CFG-3 too, each time that a CFG-2 differs from the one before.
    Data are read with CFG-2 nevertheless: every sender has it.

    A caller that connects again passes `counts` and `told` (the reported kinds of
    violations) on to the next session.
    """

    SETTLE_S = 0.05
    """Seconds from open() to ask(). openPDC and others take one command of what one read of
    TCP gives them, and drop the rest."""

    def __init__(
        self,
        idcode: int | None,
        *,
        counts: ReceiverCounts | None = None,
        told: Once | None = None,
        commands: bool = True,
        details: bool = False,
    ) -> None:
        self.idcode = idcode
        """The stream's id, as far as it is known."""
        self.counts = ReceiverCounts() if counts is None else counts
        """What was received so far."""
        self._told = Once() if told is None else told
        self._commands = commands
        self._details = details
        self._fragments = Fragments()
        self._reassembler = Reassembler()
        self._head = b""
        self._asked_s = 0.0
        self._on = False
        self._changing = False
        self.codec: DataCodec | None = None
        """Reads the data frames; None before the first CFG-2."""
        self._to_send: list[bytes] = []

    def open(self) -> None:
        """Make the first command of a new connection; ask() makes the second."""
        self._command(Command.DATA_OFF)

    def ask(self) -> None:
        """Ask for CFG-2, if it has not come already."""
        if self.codec is None:
            self._ask()

    def remind(self) -> None:
        """Repeat a command whose datagram may have been lost: send CFG-2, or data on."""
        if self.codec is None:
            self._ask()
        else:
            self._command(Command.DATA_ON)

    def leave(self) -> None:
        """Turn data off, because a UDP sender does not notice that a receiver ends."""
        self._command(Command.DATA_OFF)

    def commands(self) -> list[bytes]:
        """Return the command frames to send now, each once."""
        taken, self._to_send = self._to_send, []
        return taken

    def silence_s(self, limit_s: float) -> float:
        """Return how long the stream may be silent, in seconds, at least `limit_s`."""
        if self.codec is None:
            return limit_s
        period_s = 1 / self.codec.configuration.frames_per_second
        return max(limit_s, _SILENT_PERIODS * period_s)

    def feed(self, data: bytes) -> Iterator[ReceiverEvent]:
        """Take received bytes; yield configurations, whole data frames, problems.

        `codec` reads a yielded data frame until the next event is taken, which may be a new
        configuration.
        """
        return self._feed(self._reassembler, data, ends=False)

    def is_frame(self, data: bytes) -> bool:
        """Tell whether received bytes are exactly one valid data frame, and count it.

        The short way for nearly all frames; everything else belongs to feed().
        """
        codec = self.codec
        if (
            codec is None
            or len(data) != codec.size
            or not data.startswith(self._head)
            or self._reassembler.waiting
            or envelope.crc(data)
            or self._changes(data, codec) != self._changing
        ):
            return False
        self.counts.bytes += len(data)
        self.counts.frames += 1
        return True

    def feed_datagram(self, data: bytes) -> Iterator[ReceiverEvent]:
        """Take one datagram: frames do not go on in the next one."""
        return self._feed(Reassembler(), data, ends=True)

    def stranger(self, text: str) -> Iterator[Problem]:
        """Count a datagram of a second sender, and report it with `text`."""
        self.counts.count(Violation.STRANGER)
        return self._report(Violation.STRANGER, text)

    def _feed(self, reader: Reassembler, data: bytes, *, ends: bool) -> Iterator[ReceiverEvent]:
        counts = self.counts
        counts.bytes += len(data)
        skipped, bad = reader.skipped_bytes, reader.bad_crcs
        frames = reader.feed(data)
        if ends:
            reader.end()
        for frame in frames:
            try:
                event = self._take(frame)
            except ViolationError as error:
                counts.count(error.kind)
                yield from self._report(error.kind, str(error))
            else:
                if event is not None:
                    yield event
        if reader.skipped_bytes != skipped:
            counts.skipped_bytes += reader.skipped_bytes - skipped
            counts.bad_crcs += reader.bad_crcs - bad
            if reader.bad_crcs != bad:
                what = "frames with a wrong CRC arrive; they are skipped"
                yield from self._report(Violation.CRC, what)
            else:
                what = "bytes that are no C37.118 frame arrive; they are skipped"
                yield from self._report(Violation.GARBAGE, what)

    def _take(self, frame: bytes) -> ReceiverEvent | None:
        """Return the event of a frame; ViolationError if the sender should not have sent it."""
        kind = frame_type(frame)
        if kind not in _NAMES:
            return None
        found = frame[4] << 8 | frame[5]
        if found != self.idcode and self.idcode is not None:
            raise ViolationError(
                Violation.IDCODE,
                f"{_NAMES[kind]} IDCODE {found}, not {self.idcode}: set the right id",
            )
        if kind is FrameType.DATA:
            if self.codec is None:
                self.counts.unconfigured += 1
                return None
            self._check(frame, self.codec)
            self.counts.frames += 1
            return frame
        try:
            if kind is FrameType.CFG2:
                return self._configured(frame)
            complete = self._fragments.add(frame)
        except FrameError as error:
            raise ViolationError(Violation.CONFIGURATION, str(error)) from error
        self.counts.configurations3 += complete is not None
        return complete

    def _check(self, frame: bytes, codec: DataCodec) -> None:
        """Raise ViolationError where a data frame is not one of the configuration."""
        if len(frame) != codec.size:
            self._ask()
            raise ViolationError(
                Violation.CONTRADICTION,
                f"data frames of {len(frame)} bytes contradict the configuration "
                f"({codec.size} bytes); asking for CFG-2 again",
            )
        changing = self._changes(frame, codec)
        # 2005 sets the bit when the configuration changes, 2011 before: ask at both edges.
        if changing != self._changing:
            self._ask()
        self._changing = changing

    @staticmethod
    def _changes(frame: bytes, codec: DataCodec) -> bool:
        return any(word & _CONFIGURATION_CHANGE for word in codec.stat_words(frame))

    def _configured(self, frame: bytes) -> Configuration:
        configuration = Configuration.decode(frame)
        configuration.frames_per_second  # noqa: B018 - a rate of 0 is refused here
        codec = DataCodec(configuration)
        self.counts.configurations += 1
        new = self.codec is None or not self.codec.configuration.same(configuration)
        if new and self.codec is not None:
            self.counts.configuration_changes += 1
        self.codec = codec
        self.idcode = configuration.idcode
        second = FrameType.DATA << 4 | configuration.version
        self._head = struct.pack(">BBHH", envelope.SYNC_BYTE, second, codec.size, self.idcode)
        if not self._on:
            self._on = True
            self._command(Command.DATA_ON)
        if new and self._details:
            self._command(Command.SEND_CFG3)
        return configuration

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked_s >= _ASK_AGAIN_S or not self._asked_s:
            self._asked_s = now
            self._command(Command.SEND_CFG2)

    def _command(self, command: Command) -> None:
        if not self._commands or self.idcode is None:
            return
        time_base = self.codec.configuration.time_base if self.codec else None
        frame = CommandFrame.now(command, idcode=self.idcode, time_base=time_base)
        self._to_send.append(frame.encode())

    def _report(self, kind: Violation, what: str) -> Iterator[Problem]:
        if self._told.first(kind):
            yield Problem(kind=kind, what=what)
