"""Give the decoders millions of damaged frames: `make fuzz ARGS="--seconds 600"`.

Inputs are mutations of captures and vectors, and frames whose structure is known and
whose counts, sizes and names lie. Whatever the bytes, a decoder may raise FrameError and
nothing else, what it read is written back to the same bytes, the reassembler accounts for
every byte, and whatever could be read can be printed and checked.

An input that breaks this is saved, and `--replay FILE` runs it again. Data frames are read
with configurations that were inputs before, so that for them the whole run has to be
repeated with its seed.
"""

import argparse
import contextlib
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from grid import c37118
from grid.c37118 import FrameError, FrameType, ReceiverSession
from grid.c37118.frames import envelope
from grid.inspect import document, text
from grid.inspect.observed_frame import FrameInterpreter
from grid.inspect.stream_check import StreamCheck

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "grid"))

import synchrophasor_samples as samples

_QUIET_BIT = 0x40
"""Reading a signalling NaN sets this bit of a float's second byte: no other change is one."""
_INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_REPORT_S = 10.0


class Fuzzer:
    """Makes inputs from a seed, and feeds them to everything that reads bytes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - inputs, not secrets
        self.inputs = 0
        """How many inputs were tried."""
        self.accepted = 0
        """Of these, how many some decoder could read."""
        frames = [*samples.annex_d().values(), *samples.fluidos().values()]
        for captured in samples.captures().values():
            # Data frames of a capture are alike; a few are enough.
            frames += captured[:12]
        configurations = [
            c37118.Configuration.decode(frame)
            for frame in frames
            if c37118.frame_type(frame) is FrameType.CFG2
        ]
        made = [c37118.Configuration3.of(configuration) for configuration in configurations]
        for one in made:
            frames += [*one.encode(), *one.encode(200)]
        self.frames = frames
        self.codecs = [c37118.DataCodec(one) for one in (*configurations, *made)]

    def input(self) -> bytes:
        """Return the next input."""
        chance = self._random.random()
        if chance < 0.02:
            return self._random.randbytes(self._random.randrange(200))
        if chance < 0.12:
            return b"".join(self._mutated() for _ in range(self._random.randrange(1, 6)))
        return self._mutated()

    def check(self, raw: bytes) -> None:
        """Give one input to all decoders; any error that leaves this is a finding."""
        self.inputs += 1
        read = False
        for decode in _DECODERS:
            read |= _round_trip(raw, decode)
        codec = self._random.choice(self.codecs)
        if _data(raw, codec):
            read = True
            _shortcut(raw, codec)
        self.accepted += read
        _stream(raw)

    def learn(self, raw: bytes) -> None:
        """Take a configuration that could be read for the data frames to come."""
        for decode in (c37118.Configuration.decode, c37118.Configuration3.decode):
            with contextlib.suppress(FrameError):
                codec = c37118.DataCodec(decode(raw))
                self.codecs[self._random.randrange(len(self.codecs))] = codec

    def _mutated(self) -> bytes:
        choice = self._random
        if choice.random() < 0.2:
            frame = bytearray(self._data_frame())
        else:
            frame = bytearray(choice.choice(self.frames))
        for _ in range(choice.choice((0, 1, 1, 1, 2, 3, 8))):
            choice.choice(_MUTATIONS)(choice, frame)
        if choice.random() < 0.7 and len(frame) >= 4:
            frame[2:4] = (len(frame) & 0xFFFF).to_bytes(2, "big")
        if choice.random() < 0.8 and len(frame) >= envelope.OVERHEAD:
            frame[-2:] = envelope.crc(frame[:-2]).to_bytes(2, "big")
        return bytes(frame)

    def _data_frame(self) -> bytes:
        """Return a data frame of the right size and with noise for a body."""
        codec = self._random.choice(self.codecs)
        head = bytes([0xAA, self._random.choice((1, 2))]) + codec.size.to_bytes(2, "big")
        return head + self._random.randbytes(codec.size - 4)


def _flip(choice: random.Random, frame: bytearray) -> None:
    if frame:
        frame[choice.randrange(len(frame))] ^= 1 << choice.randrange(8)


def _word(choice: random.Random, frame: bytearray) -> None:
    """Write a number that often means trouble, where a count or a size may stand."""
    at = choice.choice((2, 14, 18, 20, 38, 40, 42, 44, choice.randrange(len(frame) + 1)))
    frame[at : at + 2] = choice.choice(_INTERESTING).to_bytes(2, "big")


def _cut(choice: random.Random, frame: bytearray) -> None:
    del frame[choice.randrange(len(frame) + 1) :]


def _remove(choice: random.Random, frame: bytearray) -> None:
    at = choice.randrange(len(frame) + 1)
    del frame[at : at + choice.randrange(1, 20)]


def _insert(choice: random.Random, frame: bytearray) -> None:
    at = choice.randrange(len(frame) + 1)
    frame[at:at] = choice.randbytes(choice.randrange(1, 20))


def _repeat(choice: random.Random, frame: bytearray) -> None:
    start = choice.randrange(len(frame) + 1)
    frame += frame[start : start + choice.randrange(1, 200)]


def _retype(choice: random.Random, frame: bytearray) -> None:
    if len(frame) > 1:
        frame[1] = choice.randrange(0x70)


_MUTATIONS = (_flip, _flip, _word, _word, _cut, _remove, _insert, _repeat, _retype)


def _configuration3(raw: bytes) -> bytes:
    return b"".join(c37118.Configuration3.decode(raw).encode())


_DECODERS: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: c37118.Configuration.decode(raw).encode(),
    _configuration3,
    lambda raw: c37118.CommandFrame.decode(raw).encode(),
    lambda raw: c37118.HeaderFrame.decode(raw).encode(),
)


def _round_trip(raw: bytes, recode: Callable[[bytes], bytes]) -> bool:
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


def _data(raw: bytes, codec: c37118.DataCodec) -> bool:
    if not _round_trip(raw, lambda frame: codec.encode(codec.decode(frame))):
        return False
    frame = codec.decode(raw)
    for station, block in zip(codec.configuration.stations, frame.pmus, strict=True):
        c37118.write(station, c37118.read(station, block))
    stamp, blocks = codec.split(raw)
    assert b"".join(blocks) == raw[envelope.HEAD : -2]
    assert stamp == frame.stamp
    return True


def _shortcut(raw: bytes, codec: c37118.DataCodec) -> None:
    """See to it that a receiver's short way for data frames takes what the long one takes."""
    if not isinstance(codec.configuration, c37118.Configuration):
        return  # A receiver reads data with CFG-2.
    short, long = ReceiverSession(None), ReceiverSession(None)
    configuration = codec.configuration.encode()
    for session in (short, long):
        for _ in session.feed(configuration):
            pass
    if short.is_frame(raw):
        assert [*long.feed(raw)] == [raw], "the short way took what the long one does not"


def _stream(raw: bytes) -> None:
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


def run(seed: int, *, seconds: float, inputs: int | None, findings: Path) -> int:
    """Fuzz until the time or the number of inputs is over; return the exit code."""
    fuzzer = Fuzzer(seed)
    start = last = time.monotonic()
    while time.monotonic() - start < seconds and (inputs is None or fuzzer.inputs < inputs):
        raw = fuzzer.input()
        try:
            fuzzer.check(raw)
            fuzzer.learn(raw)
        except Exception:
            path = findings / f"fuzz-{seed}-{fuzzer.inputs}.bin"
            path.write_bytes(raw)
            traceback.print_exc()
            print(f"input {fuzzer.inputs} of seed {seed} is kept: --replay {path}")
            return 1
        if time.monotonic() - last >= _REPORT_S:
            last = time.monotonic()
            print(f"{fuzzer.inputs} inputs, {fuzzer.inputs / (last - start):.0f} a second")
    took = time.monotonic() - start
    print(
        f"{fuzzer.inputs} inputs in {took:.1f} s ({fuzzer.inputs / took:.0f} a second), seed "
        f"{seed}: {fuzzer.accepted} were read, no decoder raised anything but FrameError"
    )
    return 0


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--inputs", type=int, help="stop after this many inputs")
    parser.add_argument("--seed", type=int, help="of the inputs (that of the clock)")
    parser.add_argument("--findings", type=Path, default=Path(), help="folder for failing inputs")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one kept input")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 2**32
    if options.replay:
        Fuzzer(seed).check(options.replay.read_bytes())
        print(f"{options.replay}: nothing wrong")
        return
    findings = options.findings
    sys.exit(run(seed, seconds=options.seconds, inputs=options.inputs, findings=findings))


if __name__ == "__main__":
    main()
