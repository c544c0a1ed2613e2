"""Many PMUs in one process: one timer for all of one rate."""

import logging
import time
from collections.abc import Iterable, Iterator

from grid.pmu.captured_stream import CapturedStream
from grid.pmu.pmu_stream import PmuStream
from grid.pmu.scenario.model import Scenario, SimulatedPmu
from grid.pmu.scenario.pmu_faults import PmuFault, PmuFaults
from grid.pmu.scenario.scenario_signals import ScenarioSignals
from grid.pmu.signals.schedule import NS
from grid.pmu.stream_publisher import SimulatedStream, StreamPublisher
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
        self.publishers = [
            StreamPublisher(stream, addresses, self.lateness)
            for stream, addresses in _streams(scenario)
        ]
        """The streams, in the scenario's order."""
        self.groups = [
            RateGroup(
                rate,
                [publisher for publisher in self.publishers if publisher.stream.data_rate == rate],
            )
            for rate in dict.fromkeys(publisher.stream.data_rate for publisher in self.publishers)
        ]
        """Streams of one rate."""
        self.serving = False
        """Whether all addresses are listened on and the frames run."""

    async def open(self) -> None:
        """Listen, and start the frames; OSError where an address is not available."""
        for publisher in self.publishers:
            for address in publisher.addresses:
                await _attach(publisher, address)
        for publisher in self.publishers:
            stream = publisher.stream
            where = await publisher.server.accept()
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
        for publisher in self.publishers:
            await publisher.server.close()

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


class RateGroup:
    """Streams of one rate: one timer sends the frames of all."""

    def __init__(self, rate: int, publishers: Iterable[StreamPublisher]) -> None:
        self.rate = rate
        """DATA_RATE."""
        self._publishers = tuple(publishers)
        self._slots = self._publishers[0].stream.slots
        self.pacer = Pacer(self._slots, self._emit)
        """When frames leave."""

    def _emit(self, slot: int) -> None:
        ns = self._slots.time_ns(slot)
        for publisher in self._publishers:
            publisher.send(slot, ns)
        # Now there is a period's time to write the next frames.
        for publisher in self._publishers:
            publisher.prepare(slot + 1)


def _streams(scenario: Scenario) -> Iterator[tuple[SimulatedStream, tuple[Address, ...]]]:
    signals = ScenarioSignals(scenario)
    for pmu in scenario.pmus:
        stream = PmuStream(
            pmu,
            signal=signals.of(pmu),
            noise=signals.noise,
            clock=scenario.clock,
            faults=_faults(scenario, pmu),
        )
        yield stream, pmu.addresses
    for captured in scenario.captures:
        yield CapturedStream(captured, scenario.clock), captured.addresses


def _faults(scenario: Scenario, pmu: SimulatedPmu) -> PmuFaults:
    """Return the faults that touch a PMU."""
    return PmuFaults.of(
        [
            event.what
            for event in scenario.events
            if isinstance(event.what, PmuFault) and event.share(pmu.name)
        ]
    )


async def _attach(publisher: StreamPublisher, address: Address) -> None:
    try:
        await publisher.server.attach(address)
    except OSError as error:
        of = f" of {address.host}" if address.host else ""
        raise OSError(
            error.errno,
            f"{publisher.stream.name} cannot listen on port {address.port}{of} "
            f"({address.transport.value}): {error.strerror or error}. Choose another.",
        ) from error
