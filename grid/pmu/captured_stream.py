"""A captured stream, sent again with the time stamps of now."""

import time
from dataclasses import replace

from grid.c37118 import (
    VERSION_2011,
    Configuration,
    Configuration3,
    DataCodec,
    Stamp,
    standard_answer,
)
from grid.pmu.clock import Clock, ClockState
from grid.pmu.scenario.captured import Captured
from grid.timing.slots import Slots

_CLOCK_BITS = 0x21F0
"""STAT bits about the clock: in sync, PMU_TQ, unlocked time."""


class CapturedStream:
    """Repeats a capture without end; which frame is due depends on the time alone.

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
        clock_state = self._clock.state(ns)
        return self._codec.join(self._stamp(ns), [_own(block, clock_state) for block in blocks])

    def edition(self, slot: int) -> int:
        """Return 0: the configuration never changes."""
        del slot
        return 0

    def answer(self, command: int) -> bytes | tuple[bytes, ...] | None:
        """Return the frame or frames that answer a command, None where there is no answer."""
        configuration = self.configuration(time.time_ns())
        newer = configuration.version >= VERSION_2011
        return standard_answer(
            command,
            configuration,
            header=self._captured.header or f"{self.name}: a capture, sent again",
            details=(lambda: Configuration3.of(configuration)) if newer else None,
        )

    def _stamp(self, ns: int) -> Stamp:
        return Stamp.from_ns(
            ns, self._captured.configuration.time_base, self._clock.state(ns).quality
        )


def _own(block: bytes, clock_state: ClockState) -> bytes:
    """Return a PMU's block with what this computer says about its clock."""
    word = int.from_bytes(block[:2], "big") & ~_CLOCK_BITS | clock_state.stat_word & _CLOCK_BITS
    return word.to_bytes(2, "big") + block[2:]
