"""A receiver's side of the protocol, without any input or output of its own.

Both the PDC's inputs (asyncio) and the blocking client run one Session a connection:
they feed it what they read, send what it wants sent, and act on its events.
"""

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
_MOST_REPORTS = 20
_CONFIGURATION_CHANGE = 0x0400
"""STAT bit 10: the sender's configuration changes, or did so within the last minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something a sender did wrong. The stream goes on."""

    what: str
    """One sentence for the log."""


class Session:
    """Asks for CFG-2, turns data on, and sorts out what comes back.

    `idcode` is the stream's id. The sequence is that of openPDC: data off, send CFG-2,
    and on its arrival data on. A data frame that contradicts the configuration, or STAT's
    configuration change bit, makes it ask for CFG-2 anew, at most once a second.
    """

    def __init__(self, idcode: int) -> None:
        self._idcode = idcode
        self._reassembler = Reassembler()
        self._asked_s = 0.0
        self._on = False
        self._changing = False
        self._reported: set[str] = set()
        self.codec: DataCodec | None = None
        """Reads the data frames; None before the first CFG-2."""
        self.to_send = b""
        """What has to be written to the sender now; the caller empties it."""

    @property
    def skipped_bytes(self) -> int:
        """Received bytes that belonged to no valid frame."""
        return self._reassembler.skipped_bytes

    @property
    def bad_crcs(self) -> int:
        """Received frames with a wrong CRC."""
        return self._reassembler.bad_crcs

    def open(self) -> None:
        """Begin, on a new connection."""
        self._command(Command.DATA_OFF)
        self._ask()

    def feed(self, data: bytes) -> Iterator[Configuration | bytes | Problem]:
        """Take received bytes; yield new configurations, whole data frames, problems.

        A data frame comes as its bytes, and `codec` reads it; that holds only until the
        next event is taken, since the next one may be a new configuration.
        """
        for frame in self._reassembler.feed(data):
            try:
                kind = frame_type(frame)
                if kind is FrameType.DATA and self.codec is not None:
                    self._check(frame, self.codec)
                    yield frame
                elif kind is FrameType.CFG2:
                    yield self._configured(frame)
            except FrameError as error:
                yield from self._report(str(error))
        if self.bad_crcs:
            yield from self._report("frames with a wrong CRC arrive; they are skipped")
        elif self.skipped_bytes:
            yield from self._report("bytes that are no C37.118 frame arrive; they are skipped")

    def _check(self, frame: bytes, codec: DataCodec) -> None:
        """Raise FrameError where a data frame is not one of the stream."""
        found = int.from_bytes(frame[4:6], "big")
        if found != self._idcode:
            raise FrameError(
                f"data frames carry IDCODE {found}, not {self._idcode}: set the right id"
            )
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
        if configuration.idcode != self._idcode:
            raise FrameError(
                f"CFG-2 is of IDCODE {configuration.idcode}, not {self._idcode}: set the right id"
            )
        configuration.frames_per_second  # noqa: B018 - a rate of 0 is refused here
        self.codec = DataCodec(configuration)
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
        stamp = Stamp.from_ns(time.time_ns(), _TIME_BASE, TimeQuality(code=UNRELIABLE))
        frame = CommandFrame(idcode=self._idcode, stamp=stamp, command=command)
        self.to_send += frame.encode()

    def _report(self, what: str) -> Iterator[Problem]:
        if what not in self._reported and len(self._reported) < _MOST_REPORTS:
            self._reported.add(what)
            yield Problem(what=what)
