"""What holds for every input, whatever its bytes; AssertionError where it doesn't."""

import contextlib
import random
from collections.abc import Callable

from grid import c37118
from grid.c37118 import FrameError, FrameType, ReceiverSession
from grid.c37118.frames import envelope
from grid.inspect import document, text
from grid.inspect.observed_frame import FrameInterpreter
from grid.inspect.stream_check import StreamCheck

_QUIET_BIT = 0x40
"""Reading a signalling NaN sets this bit of a float's second byte: no other change is one."""


def _configuration3(raw: bytes) -> bytes:
    return b"".join(c37118.Configuration3.decode(raw).encode())


DECODERS: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: c37118.Configuration.decode(raw).encode(),
    _configuration3,
    lambda raw: c37118.CommandFrame.decode(raw).encode(),
    lambda raw: c37118.HeaderFrame.decode(raw).encode(),
)


def round_trip(raw: bytes, recode: Callable[[bytes], bytes]) -> bool:
    """Tell whether the decoder read the bytes; AssertionError if it wrote others."""
    try:
        again = recode(raw)
    except FrameError:
        return False
    same = again == raw or (
        len(again) == len(raw)
        and all(a ^ b in (0, _QUIET_BIT) for a, b in zip(again[:-2], raw[:-2], strict=True))
    )
    assert same, f"{raw.hex()} was written back as {again.hex()}"
    return True


def data(raw: bytes, codec: c37118.DataCodec) -> bool:
    """Tell whether the codec reads the bytes as a data frame, and check all that it gives."""
    if not round_trip(raw, lambda frame: codec.encode(codec.decode(frame))):
        return False
    frame = codec.decode(raw)
    stations: tuple[c37118.Station | c37118.Station3, ...] = codec.configuration.stations
    for station, block in zip(stations, frame.pmus, strict=True):
        c37118.write(station, c37118.read(station, block))
    stamp, blocks = codec.split(raw)
    assert b"".join(blocks) == raw[envelope.HEAD : -2]
    assert stamp == frame.stamp
    return True


def shortcut(raw: bytes, codec: c37118.DataCodec) -> None:
    """Check that a receiver's short way for data frames takes what the long one takes."""
    if not isinstance(codec.configuration, c37118.Configuration):
        return  # A receiver reads data with CFG-2.
    short, long = ReceiverSession(None), ReceiverSession(None)
    configuration = codec.configuration.encode()
    for session in (short, long):
        for _ in session.feed(configuration):
            pass
    if short.is_frame(raw):
        assert [*long.feed(raw)] == [raw], "the short way took what the long one does not"


def stream(raw: bytes) -> None:
    """Feed the input in pieces that follow from itself, so that a replay does the same."""
    pieces = random.Random(raw)  # noqa: S311 - inputs, not secrets
    reader, fragments = c37118.Reassembler(), c37118.Fragments()
    interpreter, check = FrameInterpreter(), StreamCheck("stream")
    session = ReceiverSession(None, details=True)
    got, at = 0, 0
    while at < len(raw):
        size = pieces.choice((1, 7, 100, len(raw)))
        piece = raw[at : at + size]
        at += size
        for frame in reader.feed(piece):
            got += len(frame)
            assert not envelope.crc(frame), "a frame with a wrong CRC was let through"
            if c37118.frame_type(frame) is FrameType.CFG3:
                with contextlib.suppress(FrameError):
                    fragments.add(frame)
            seen = interpreter.interpret(0, "host:1", frame)
            if seen is not None:
                text.text(seen)
                document.line(seen)
                check.take(seen)
        for _ in session.feed(piece):
            pass
    reader.end()
    check.report().text([])
    assert got + reader.skipped_bytes == len(raw), "the reassembler lost bytes"
