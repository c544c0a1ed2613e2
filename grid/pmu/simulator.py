"""Many PMUs in one process: one timer for all of one rate."""

import logging
import time
from collections.abc import Iterable, Iterator

from grid.pmu.captured import CapturedStream
from grid.pmu.faults import Fault, Faults
from grid.pmu.outlet import Outlet, Stream
from grid.pmu.scenario import Pmu, Scenario, Sources
from grid.pmu.schedule import NS
from grid.pmu.stream import PmuStream
from grid.timing.pacing import Pacer
from grid.transport.address import Address
from service.latency import Latencies

_LOG = logging.getLogger(__name__)

_DEAD_S = 2.0
"""Frames that are overdue by this much mean that the process hangs."""


class Simulator:
    """Serves a scenario's streams from open() to close(); FrameError where one is impossible."""

    def __init__(self, scenario: Scenario) -> None:
        self.lateness = Latencies()
        """From each frame's time stamp to when the kernel had it for the last client."""
        self.outlets = [
            Outlet(stream, addresses, self.lateness) for stream, addresses in _streams(scenario)
        ]
        """The streams, in the scenario's order."""
        self.groups = [
            Group(rate, [outlet for outlet in self.outlets if outlet.stream.data_rate == rate])
            for rate in dict.fromkeys(outlet.stream.data_rate for outlet in self.outlets)
        ]
        """Streams of one rate."""
        self.serving = False
        """Whether all addresses are listened on and the frames run."""

    async def open(self) -> None:
        """Listen, and start the frames; OSError where an address is not to be had."""
        for outlet in self.outlets:
            for address in outlet.addresses:
                await _attach(outlet, address)
        for outlet in self.outlets:
            stream = outlet.stream
            where = await outlet.server.accept()
            rate = stream.configuration(time.time_ns()).frames_per_second
            _LOG.info("%s: IDCODE %d, %g frames/s, %s", stream.name, stream.idcode, rate, where)
        for group in self.groups:
            group.pacer.start()
        self.serving = True

    async def close(self) -> None:
        """Stop the frames and end all connections."""
        self.serving = False
        for group in self.groups:
            group.pacer.stop()
        for outlet in self.outlets:
            await outlet.server.close()

    def overdue(self) -> str | None:
        """Return what is wrong if frames should have left long ago."""
        now = time.time_ns()
        for group in self.groups:
            late_s = (now - group.pacer.next_ns) / NS
            if self.serving and late_s > _DEAD_S:
                return f"frames of {group.rate} a second are overdue by {late_s:.1f} s"
        return None

    def waiting(self) -> str | None:
        """Return why clients should not come yet."""
        return None if self.serving else "the addresses are not listened on yet"


class Group:
    """Streams of one rate: one timer sends the frames of all."""

    def __init__(self, rate: int, outlets: Iterable[Outlet]) -> None:
        self.rate = rate
        """DATA_RATE."""
        self._outlets = tuple(outlets)
        self._slots = self._outlets[0].stream.slots
        self.pacer = Pacer(self._slots, self._emit)
        """When frames leave."""

    def _emit(self, slot: int) -> None:
        ns = self._slots.time_ns(slot)
        for outlet in self._outlets:
            outlet.send(slot, ns)
        # Now there is a period's time to write the next frames.
        for outlet in self._outlets:
            outlet.prepare(slot + 1)


def _streams(scenario: Scenario) -> Iterator[tuple[Stream, tuple[Address, ...]]]:
    sources = Sources(scenario)
    for pmu in scenario.pmus:
        stream = PmuStream(
            pmu,
            source=sources.of(pmu),
            noise=sources.noise,
            clock=scenario.clock,
            faults=_faults(scenario, pmu),
        )
        yield stream, pmu.addresses
    for captured in scenario.captures:
        yield CapturedStream(captured, scenario.clock), captured.addresses


def _faults(scenario: Scenario, pmu: Pmu) -> Faults:
    """Return the faults that touch a PMU."""
    return Faults.of(
        [
            event.what
            for event in scenario.events
            if isinstance(event.what, Fault) and event.share(pmu.name)
        ]
    )


async def _attach(outlet: Outlet, address: Address) -> None:
    try:
        await outlet.server.attach(address)
    except OSError as error:
        of = f" of {address.host}" if address.host else ""
        raise OSError(
            error.errno,
            f"{outlet.stream.name} cannot listen on port {address.port}{of} "
            f"({address.transport.value}): {error.strerror or error}. Choose another.",
        ) from error
