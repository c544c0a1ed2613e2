"""A receiver's side of the protocol, without any input or output of its own.

The asyncio receiver and the blocking client run one Session a connection: they feed it
what they read, send what it wants sent, and act on its events.
"""

import enum
import time
from collections.abc import Iterator
from dataclasses import dataclass

from grid.c37118 import (
    Command,
    CommandFrame,
    Configuration,
    DataCodec,
    FrameError,
    FrameType,
    Reassembler,
    Stamp,
    TimeQuality,
    frame_type,
)
from grid.c37118.clocks import UNRELIABLE

_TIME_BASE = 1_000_000
_ASK_AGAIN_S = 1.0
_SILENT_PERIODS = 2.5
"""A sender of few frames is not dead before this many of its periods passed without one."""
_CONFIGURATION_CHANGE = 0x0400
"""STAT bit 10: the sender's configuration changes, or did so within the last minute."""


class Fault(enum.StrEnum):
    """The kinds of things that a sender can do wrong."""

    CRC = "crc"
    """Frames with a wrong CRC."""
    GARBAGE = "garbage"
    """Bytes that are no frame, or a truncated one."""
    IDCODE = "idcode"
    """Frames of another stream."""
    CONTRADICTION = "contradiction"
    """Data frames that do not fit the configuration."""
    CONFIGURATION = "configuration"
    """A configuration that cannot be read."""
    STRANGER = "stranger"
    """Datagrams with the right IDCODE from a second sender."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something a sender did wrong, told once for each kind. The stream goes on."""

    kind: Fault
    """What it is."""
    what: str
    """One sentence for the log."""


@dataclass(kw_only=True, slots=True)
class ReceiverCounts:
    """What a receiver got so far."""

    connections: int = 0
    """How often it connected."""
    attempts: int = 0
    """How often it tried to."""
    bytes: int = 0
    """Bytes received, garbage and commands' answers included."""
    frames: int = 0
    """Data frames that fit the configuration."""
    unconfigured: int = 0
    """Data frames before the first configuration, which cannot be read."""
    configurations: int = 0
    """CFG-2 frames."""
    configuration_changes: int = 0
    """Of these, those that differed from the one before in more than the time."""
    bad_crcs: int = 0
    """Frames with a wrong CRC."""
    skipped_bytes: int = 0
    """Bytes that belonged to no valid frame."""
    wrong_idcodes: int = 0
    """Frames of another stream."""
    contradictions: int = 0
    """Data frames that did not fit the configuration."""
    bad_configurations: int = 0
    """Configurations that could not be read."""
    strangers: int = 0
    """Datagrams of a second sender."""


class Session:
    """Asks for CFG-2, turns data on, and sorts out what comes back.

    `idcode` is the stream's id; None takes that of the first CFG-2, which only a stream
    without commands can do. The sequence is that of openPDC: data off, send CFG-2,
    and on its arrival data on. A data frame that contradicts the configuration, or STAT's
    configuration change bit, makes it ask for CFG-2 anew, at most once a second.

    `counts` and `told` outlive the session where the caller keeps them.
    """

    def __init__(
        self,
        idcode: int | None,
        *,
        counts: ReceiverCounts | None = None,
        told: set[Fault] | None = None,
        commands: bool = True,
    ) -> None:
        self.idcode = idcode
        """The stream's id, as far as it is known."""
        self.counts = ReceiverCounts() if counts is None else counts
        """What came so far."""
        self._told = set() if told is None else told
        self._commands = commands
        self._reassembler = Reassembler()
        self._asked_s = 0.0
        self._on = False
        self._changing = False
        self.codec: DataCodec | None = None
        """Reads the data frames; None before the first CFG-2."""
        self._to_send: list[bytes] = []

    def open(self) -> None:
        """Begin, on a new connection."""
        self._command(Command.DATA_OFF)
        self._ask()

    def remind(self) -> None:
        """Ask anew, where a datagram may have been lost: for CFG-2, or for data."""
        if self.codec is None:
            self._ask()
        else:
            self._command(Command.DATA_ON)

    def leave(self) -> None:
        """Turn data off; a sender of datagrams would not notice otherwise."""
        self._command(Command.DATA_OFF)

    def commands(self) -> list[bytes]:
        """Take the commands that have to be sent now."""
        taken, self._to_send = self._to_send, []
        return taken

    def silence_s(self, limit_s: float) -> float:
        """Return how long this stream may be silent, at least `limit_s`."""
        if self.codec is None:
            return limit_s
        period_s = 1 / self.codec.configuration.frames_per_second
        return max(limit_s, _SILENT_PERIODS * period_s)

    def feed(self, data: bytes) -> Iterator[Configuration | bytes | Problem]:
        """Take received bytes; yield new configurations, whole data frames, problems.

        A data frame comes as its bytes, and `codec` reads it; that holds only until the
        next event is taken, since the next one may be a new configuration.
        """
        return self._feed(self._reassembler, data, ends=False)

    def feed_datagram(self, data: bytes) -> Iterator[Configuration | bytes | Problem]:
        """Take one datagram: frames do not go on in the next one."""
        return self._feed(Reassembler(), data, ends=True)

    def stranger(self, text: str) -> Iterator[Problem]:
        """Count a datagram that came from another sender than the others."""
        self.counts.strangers += 1
        return self._report(Fault.STRANGER, text)

    def _feed(
        self, reader: Reassembler, data: bytes, *, ends: bool
    ) -> Iterator[Configuration | bytes | Problem]:
        counts = self.counts
        counts.bytes += len(data)
        skipped, bad = reader.skipped_bytes, reader.bad_crcs
        frames = reader.feed(data)
        if ends:
            reader.end()
        for frame in frames:
            kind = frame_type(frame)
            fault = Fault.CONTRADICTION
            try:
                if kind is FrameType.DATA:
                    self._check_idcode(frame)
                    if self.codec is None:
                        counts.unconfigured += 1
                        continue
                    self._check(frame, self.codec)
                    counts.frames += 1
                    yield frame
                elif kind is FrameType.CFG2:
                    self._check_idcode(frame)
                    fault = Fault.CONFIGURATION
                    yield self._configured(frame)
            except _WrongIdcodeError as error:
                counts.wrong_idcodes += 1
                yield from self._report(Fault.IDCODE, str(error))
            except FrameError as error:
                if fault is Fault.CONTRADICTION:
                    counts.contradictions += 1
                else:
                    counts.bad_configurations += 1
                yield from self._report(fault, str(error))
        if reader.skipped_bytes != skipped:
            counts.skipped_bytes += reader.skipped_bytes - skipped
            counts.bad_crcs += reader.bad_crcs - bad
            if reader.bad_crcs != bad:
                yield from self._report(
                    Fault.CRC, "frames with a wrong CRC arrive; they are skipped"
                )
            else:
                yield from self._report(
                    Fault.GARBAGE, "bytes that are no C37.118 frame arrive; they are skipped"
                )

    def _check_idcode(self, frame: bytes) -> None:
        found = frame[4] << 8 | frame[5]
        if found != self.idcode and self.idcode is not None:
            what = "data frames carry" if frame_type(frame) is FrameType.DATA else "CFG-2 is of"
            raise _WrongIdcodeError(f"{what} IDCODE {found}, not {self.idcode}: set the right id")

    def _check(self, frame: bytes, codec: DataCodec) -> None:
        """Raise FrameError where a data frame is not one of the configuration."""
        if len(frame) != codec.size:
            self._ask()
            raise FrameError(
                f"data frames of {len(frame)} bytes contradict the configuration "
                f"({codec.size} bytes); asking for CFG-2 again"
            )
        changing = any(word & _CONFIGURATION_CHANGE for word in codec.stat_words(frame))
        if changing and not self._changing:
            self._ask()
        self._changing = changing

    def _configured(self, frame: bytes) -> Configuration:
        configuration = Configuration.decode(frame)
        configuration.frames_per_second  # noqa: B018 - a rate of 0 is refused here
        codec = DataCodec(configuration)
        self.counts.configurations += 1
        if self.codec is not None and not self.codec.configuration.same(configuration):
            self.counts.configuration_changes += 1
        self.codec = codec
        self.idcode = configuration.idcode
        if not self._on:
            self._on = True
            self._command(Command.DATA_ON)
        return configuration

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked_s >= _ASK_AGAIN_S or not self._asked_s:
            self._asked_s = now
            self._command(Command.SEND_CFG2)

    def _command(self, command: Command) -> None:
        if not self._commands or self.idcode is None:
            return
        stamp = Stamp.from_ns(time.time_ns(), _TIME_BASE, TimeQuality(code=UNRELIABLE))
        frame = CommandFrame(idcode=self.idcode, stamp=stamp, command=command)
        self._to_send.append(frame.encode())

    def _report(self, kind: Fault, what: str) -> Iterator[Problem]:
        if kind not in self._told:
            self._told.add(kind)
            yield Problem(kind=kind, what=what)


class _WrongIdcodeError(FrameError):
    """The frame is of another stream."""
