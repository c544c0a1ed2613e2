"""Makes inputs from a seed, and gives them to the decoders."""

import contextlib
import random

from fuzz import checks, samples
from fuzz.mutations import MUTATIONS
from grid import c37118
from grid.c37118 import FrameError, FrameType
from grid.c37118.frames import envelope


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
        self.codecs = [
            *(c37118.DataCodec(one) for one in configurations),
            *(c37118.DataCodec(one) for one in made),
        ]

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
        for decode in checks.DECODERS:
            read |= checks.round_trip(raw, decode)
        codec = self._random.choice(self.codecs)
        if checks.data(raw, codec):
            read = True
            checks.shortcut(raw, codec)
        self.accepted += read
        checks.stream(raw)

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
            choice.choice(MUTATIONS)(choice, frame)
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
