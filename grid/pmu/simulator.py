"""Many PMUs in one process: one timer for all of one rate."""

import logging
import time
from collections.abc import Iterable, Iterator

from grid.address import Address
from grid.latency import Latencies
from grid.pacing import Pacer
from grid.pmu.faults import Fault, Faults
from grid.pmu.outlet import Outlet
from grid.pmu.scenario import Pmu, Scenario, Sources
from grid.pmu.schedule import NS
from grid.pmu.stream import PmuStream

_LOG = logging.getLogger(__name__)

_DEAD_S = 2.0
"""Frames that are overdue by this much mean that the process hangs."""


class Simulator:
    """Serves a scenario's PMUs from open() to close(); FrameError where one is impossible."""

    def __init__(self, scenario: Scenario) -> None:
        self.lateness = Latencies()
        """From each frame's time stamp to when the kernel had it for the last client."""
        self.pmus: list[tuple[Pmu, Outlet]] = []
        """All PMUs."""
        sources = Sources(scenario)
        for pmu in scenario.pmus:
            stream = PmuStream(
                pmu,
                source=sources.of(pmu),
                noise=sources.noise,
                clock=scenario.clock,
                faults=_faults(scenario, pmu),
            )
            self.pmus.append((pmu, Outlet(stream, self.lateness)))
        rates = dict.fromkeys(pmu.rate for pmu, _ in self.pmus)
        self.groups = [
            Group(rate, [outlet for pmu, outlet in self.pmus if pmu.rate == rate]) for rate in rates
        ]
        """PMUs of one rate."""
        self.serving = False
        """Whether all addresses are listened on and the frames run."""

    @property
    def outlets(self) -> list[Outlet]:
        """The streams, in the scenario's order."""
        return [outlet for _, outlet in self.pmus]

    async def open(self) -> None:
        """Listen, and start the frames; OSError where an address is not to be had."""
        for pmu, outlet in self.pmus:
            for address in pmu.addresses:
                try:
                    await outlet.server.attach(address)
                except OSError as error:
                    raise OSError(
                        error.errno,
                        f"{pmu.name} cannot listen on {_place(address)}: "
                        f"{error.strerror or error}. Choose another.",
                    ) from error
        for pmu, outlet in self.pmus:
            where = await outlet.server.accept()
            rate = outlet.stream.configuration(time.time_ns()).frames_per_second
            _LOG.info("%s: IDCODE %d, %g frames/s, %s", pmu.name, pmu.idcode, rate, where)
        for group in self.groups:
            group.pacer.start()
        self.serving = True

    async def close(self) -> None:
        """Stop the frames and end all connections."""
        self.serving = False
        for group in self.groups:
            group.pacer.stop()
        for _, outlet in self.pmus:
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
    """PMUs of one rate: one timer sends the frames of all."""

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


def _place(address: Address) -> str:
    of = f" of {address.host}" if address.host else ""
    return f"port {address.port}{of} ({address.transport.value})"


def _faults(scenario: Scenario, pmu: Pmu) -> Faults:
    """Return the faults that touch a PMU."""

    def touching() -> Iterator[Fault]:
        for event in scenario.events:
            if isinstance(event.what, Fault) and event.share(pmu.name):
                yield event.what

    return Faults.of(list(touching()))
