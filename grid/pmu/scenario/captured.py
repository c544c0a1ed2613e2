"""The PMU stream in a capture file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grid.c37118 import (
    Configuration,
    DataCodec,
    FrameError,
    FrameType,
    HeaderFrame,
    frame_type,
)
from grid.capture import packets
from grid.capture import pcap as capture
from grid.capture.conversations import Conversations
from grid.documents.document_error import DocumentError
from grid.timing.slots import Slots
from grid.transport.address import Address


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A stream as it was captured."""

    configuration: Configuration
    """Its last CFG-2 before the data."""
    frames: dict[int, bytes]
    """Data frames by their reporting time, from 0 on; lost frames are missing."""
    length: int
    """Reporting times from the first frame to the last, both included."""
    header: str
    """Text of its header frame; empty where there was none."""
    addresses: tuple[Address, ...] = ()
    """The addresses that serve it."""


def read(path: Path, idcode: int | None = None) -> Captured:
    """Return the stream of an IDCODE (None: the first with a CFG-2) in a pcap or pcapng file.

    OSError where the file cannot be read, DocumentError where it has no such stream.
    """
    try:
        return collect(_frames(path), idcode)
    except (capture.CaptureError, DocumentError) as error:
        raise DocumentError([f"{path.name}: {error}"]) from error


def _frames(path: Path) -> Iterator[bytes]:
    dissector, conversations = packets.Dissector(), Conversations()
    for packet in capture.read(path):
        segment = dissector.segment(packet)
        if segment is not None:
            for _, frame in conversations.frames(segment):
                yield frame


def collect(frames: Iterable[bytes], idcode: int | None = None) -> Captured:
    """Return the stream of an IDCODE (None: the first with a CFG-2) out of captured frames.

    Another configuration ends it. DocumentError where there is no stream.
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
        raise DocumentError([f"it has no CFG-2{wanted}"])
    if not found:
        raise DocumentError([f"no data frame follows the CFG-2 of IDCODE {idcode}"])
    first = min(found)
    return Captured(
        configuration=configuration,
        frames={slot - first: frame for slot, frame in found.items()},
        length=max(found) - first + 1,
        header=header,
    )
