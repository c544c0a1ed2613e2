"""Publishes one simulated stream: its server, and the frame that is prepared for its time."""

import time
from collections.abc import Sequence
from typing import Protocol

from grid.c37118 import Configuration
from grid.pmu.signals.schedule import NS
from grid.timing.slots import Slots
from grid.transport.address import Address
from grid.transport.server import StreamServer
from service.latency import Latencies


class SimulatedStream(Protocol):
    """A stream to publish: a pure function of time."""

    name: str
    """How the log calls it."""
    idcode: int
    """The stream's id."""
    slots: Slots
    """Its reporting times."""
    data_rate: int
    """Above 0 frames a second, below 0 seconds a frame."""

    def configuration(self, ns: int) -> Configuration:
        """Return the CFG-2 of a time, in ns since 1970-01-01 UTC."""

    def frame(self, slot: int) -> bytes:
        """Return the data frame of a reporting time; empty where none is sent."""

    def edition(self, slot: int) -> int:
        """Return a number that changes with the configuration."""

    def answer(self, command: int) -> bytes | tuple[bytes, ...] | None:
        """Return the frame or frames that answer a command, None where there is no answer."""


class StreamPublisher:
    """Sends a stream's frames, each prepared before its time.

    Frames are a function of time alone, so that the next one is written while there is
    time, and at its time only has to be handed over.
    """

    def __init__(
        self, stream: SimulatedStream, addresses: Sequence[Address], lateness: Latencies
    ) -> None:
        self.stream = stream
        """What is sent."""
        self.addresses = addresses
        """The addresses that serve it."""
        self.server = StreamServer(idcode=stream.idcode, answer=stream.answer, name=stream.name)
        """Its clients and destinations."""
        self._lateness = lateness
        self._slot = -1
        self._frame = b""
        self._edition = 0

    def prepare(self, slot: int) -> None:
        """Write the frame of a slot, if there is a receiver."""
        if self.server.receivers:
            self._slot, self._frame = slot, self.stream.frame(slot)

    def send(self, slot: int, time_ns: int) -> None:
        """Send the frame of a slot, whose time is `time_ns`."""
        edition = self.stream.edition(slot)
        if edition != self._edition:
            self._edition = edition
            self.server.announce()
        if not self.server.receivers:
            return
        if slot != self._slot:
            self.prepare(slot)
        if self._frame:
            self.server.publish(self._frame)
            self._lateness.add((time.time_ns() - time_ns) / NS)
