"""Finds the reporting time of the output for the time stamp of an input's frame."""

from typing import NamedTuple

from grid.c37118 import Configuration
from grid.timing.slots import Slots

_OFF_SLOT = 0.25
"""A frame of an input of the output's rate is not taken when it is further from a reporting
time than this part of a period."""
_NS = 1_000_000_000
_MOST_KEPT = 256


class SlotMatch(NamedTuple):
    """The reporting time that a frame belongs to."""

    ns: int
    """Its time stamp, nanoseconds since 1970-01-01 UTC."""
    slot: int
    """The nearest reporting time of the output; -1 where there is none near enough."""
    off_ns: int
    """How much later than that it is."""
    done: int
    """The last slot to which later frames of the same input can't add anything."""
    quality: int
    """The high byte of FRACSEC."""


class SlotFinder:
    """Finds the reporting times of frames of one TIME_BASE and DATA_RATE, for all such inputs.

    The inputs of a PDC send the same time stamps within milliseconds, so most answers are
    found among the last ones.
    """

    def __init__(self, configuration: Configuration, slots: Slots, rate: int, *, closest: bool):
        self.period_ns = round(_NS / configuration.frames_per_second)
        """Nanoseconds between two frames of the input."""
        self._time_base = configuration.time_base
        self._slots = slots
        self._closest = closest
        self._limit_ns = (
            slots.period_ns * _OFF_SLOT if configuration.data_rate == rate else slots.period_ns
        )
        self._kept: dict[bytes, SlotMatch] = {}

    def find(self, words: bytes) -> SlotMatch:
        """Return the reporting time of a frame whose SOC and FRACSEC are these eight bytes."""
        slot_match = self._kept.get(words)
        if slot_match is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            soc, fracsec = int.from_bytes(words[:4], "big"), int.from_bytes(words[4:], "big")
            base = self._time_base
            ns = soc * _NS + ((fracsec & 0xFFFFFF) * _NS + base // 2) // base
            slot_match = self._kept[words] = self.at(ns, fracsec >> 24)
        return slot_match

    def at(self, ns: int, quality: int) -> SlotMatch:
        """Return the reporting time of a frame of a time."""
        slots = self._slots
        slot = slots.nearest(ns)
        off_ns = ns - slots.time_ns(slot)
        done = slots.nearest(ns + self.period_ns) - 1
        if self._closest:
            # Later frames are further away from the slots that are over.
            done = max(done, slots.following(ns) - 1)
        if abs(off_ns) > self._limit_ns:
            slot = -1
        return SlotMatch(ns=ns, slot=slot, off_ns=off_ns, done=done, quality=quality)
