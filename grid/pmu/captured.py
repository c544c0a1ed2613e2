"""A captured stream, sent again as if it were measured now."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from grid.c37118 import (
    VERSION_2011,
    Command,
    Configuration,
    Configuration3,
    DataCodec,
    FrameError,
    FrameType,
    HeaderFrame,
    Stamp,
    frame_type,
)
from grid.capture import packets
from grid.capture import pcap as capture
from grid.capture.conversations import Conversations
from grid.pmu.clock import Clock, Trust
from grid.timing.slots import Slots
from grid.transport.address import Address

_CLOCK_BITS = 0x21F0
"""What STAT says about the clock: in sync, PMU_TQ, unlocked time."""


class CapturedError(ValueError):
    """A capture holds no stream that can be sent; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A stream as it was captured."""

    configuration: Configuration
    """Its last CFG-2 before the data."""
    frames: dict[int, bytes]
    """Data frames by their reporting time, from 0 on; where one was lost, none stands here."""
    length: int
    """Reporting times from the first frame to the last, both included."""
    header: str
    """Text of its header frame; empty where there was none."""
    addresses: tuple[Address, ...] = ()
    """Where it is served."""


def read(path: Path, idcode: int | None = None) -> Captured:
    """Return the stream of an IDCODE (None: the first with a CFG-2) in a pcap or pcapng file.

    OSError where the file cannot be read, CapturedError where it has no such stream.
    """
    try:
        return collect(_frames(path), idcode)
    except (capture.CaptureError, CapturedError) as error:
        raise CapturedError(f"{path.name}: {error}") from error


def _frames(path: Path) -> Iterator[bytes]:
    dissector, conversations = packets.Dissector(), Conversations()
    for packet in capture.read(path):
        segment = dissector.segment(packet)
        if segment is not None:
            for _, frame in conversations.frames(segment):
                yield frame


def collect(frames: Iterable[bytes], idcode: int | None = None) -> Captured:
    """Return the stream of an IDCODE (None: the first with a CFG-2) out of captured frames.

    A configuration that changes the layout ends it. CapturedError where there is nothing.
    """
    codec: DataCodec | None = None
    configuration: Configuration | None = None
    slots = Slots(1)
    header, found = "", dict[int, bytes]()
    for frame in frames:
        source = int.from_bytes(frame[4:6], "big")
        if idcode is not None and source != idcode:
            continue
        try:
            kind = frame_type(frame)
            if kind is FrameType.CFG2:
                told = Configuration.decode(frame)
                if configuration is not None and told.same(configuration):
                    continue
                if found:
                    break
                told.frames_per_second  # noqa: B018 - a rate of 0 is refused here
                configuration, codec, idcode = told, DataCodec(told), source
                slots = Slots(told.data_rate)
            elif kind is FrameType.HEADER:
                header = HeaderFrame.decode(frame).text
            elif kind is FrameType.DATA and codec is not None and len(frame) == codec.size:
                stamp = codec.decode(frame).stamp
                slot = slots.nearest(stamp.ns(codec.configuration.time_base))
                found.setdefault(slot, frame)
        except FrameError:
            continue  # `c37118 check` says what is wrong with a capture.
    if configuration is None:
        wanted = "" if idcode is None else f" of IDCODE {idcode}"
        raise CapturedError(f"it has no CFG-2{wanted}")
    if not found:
        raise CapturedError(f"no data frame follows the CFG-2 of IDCODE {idcode}")
    first = min(found)
    return Captured(
        configuration=configuration,
        frames={slot - first: frame for slot, frame in found.items()},
        length=max(found) - first + 1,
        header=header,
    )


class CapturedStream:
    """Sends a capture again and again; which frame is due depends on the time alone.

    Frames keep their values and get the time stamps of now. What they and their STAT say
    about the clock is replaced too: it is this computer's clock that stamps them.
    """

    def __init__(self, captured: Captured, clock: Clock) -> None:
        configuration = captured.configuration
        self.name = configuration.stations[0].name if configuration.stations else "capture"
        """How the log calls it."""
        self.idcode = configuration.idcode
        """The stream's id."""
        self.slots = Slots(configuration.data_rate)
        """Its reporting times."""
        self.data_rate = configuration.data_rate
        """Above 0 frames a second, below 0 seconds a frame."""
        self._captured = captured
        self._codec = DataCodec(configuration)
        self._clock = clock

    def configuration(self, ns: int) -> Configuration:
        """Return the CFG-2 of a time, in ns since 1970-01-01 UTC."""
        return replace(self._captured.configuration, stamp=self._stamp(ns))

    def frame(self, slot: int) -> bytes:
        """Return the data frame of a reporting time; empty where the capture lacks it."""
        frame = self._captured.frames.get(slot % self._captured.length)
        if frame is None:
            return b""
        ns = self.slots.time_ns(slot)
        _, blocks = self._codec.split(frame)
        trust = self._clock.trust(ns)
        return self._codec.join(self._stamp(ns), [_own(block, trust) for block in blocks])

    def edition(self, slot: int) -> int:
        """Return 0: the configuration never changes."""
        del slot
        return 0

    def answer(self, command: int) -> bytes | tuple[bytes, ...] | None:
        """Return the frame or frames that answer a command, None where there is no answer."""
        configuration = self.configuration(time.time_ns())
        if command == Command.SEND_CFG2:
            return configuration.encode()
        if command == Command.SEND_CFG1:
            return replace(configuration, type=FrameType.CFG1).encode()
        if command == Command.SEND_CFG3 and configuration.version >= VERSION_2011:
            return Configuration3.of(configuration).encode()
        if command == Command.SEND_HEADER:
            return HeaderFrame(
                idcode=self.idcode,
                stamp=configuration.stamp,
                text=self._captured.header or f"{self.name}: a capture, sent again",
                version=configuration.version,
            ).encode()
        return None

    def _stamp(self, ns: int) -> Stamp:
        return Stamp.from_ns(
            ns, self._captured.configuration.time_base, self._clock.trust(ns).quality
        )


def _own(block: bytes, trust: Trust) -> bytes:
    """Return a PMU's block with what this computer says about its clock."""
    word = int.from_bytes(block[:2], "big") & ~_CLOCK_BITS | trust.stat_word & _CLOCK_BITS
    return word.to_bytes(2, "big") + block[2:]
