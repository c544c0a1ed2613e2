"""A running PDC: the concentrator, its configuration watcher, its metrics server."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from grid.pdc import metrics
from grid.pdc.concentrator import Concentrator
from grid.pdc.configuration_source import ConfigurationSource
from grid.pdc.configuration_watcher import ConfigurationWatcher
from grid.pdc.frame_rates import FrameRates
from grid.pdc.topology.model import Topology
from service import run
from service.metrics_server import MetricsCollector, MetricsServer

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """The options of `pdc serve`, besides the source of the configuration."""

    listen: str | None = None
    """Address of the output and of the metrics; None for all."""
    port: int | None = None
    """TCP port of the output instead of the configured one."""
    metrics_port: int | None = None
    """Port of /metrics, /healthz and /readyz; None for none."""
    poll_s: float = 0.0
    """How often the source is asked for changes; 0 for never."""


class PdcService:
    """Runs what a topology says, and follows the source's changes."""

    def __init__(
        self,
        topology: Topology,
        settings: ServiceSettings,
        source: ConfigurationSource,
        *,
        known: bool = True,
    ) -> None:
        """Start from `topology`, which is the source's if `known`, or an older copy.

        FrameError where the output cannot be written as C37.118.
        """
        self.concentrator = Concentrator(topology)
        """The PDC itself."""
        self.watcher = ConfigurationWatcher(
            source, topology, self.apply, poll_s=settings.poll_s, known=known
        )
        """Follows the source."""
        self.rates = FrameRates(lambda: self.concentrator)
        """Frame rates."""
        self.metrics_server: MetricsServer | None = None
        """Serves the metrics, if a port is given."""
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the ports and begin; OSError where a port is taken."""
        settings = self._settings
        await self._start(self.concentrator)
        if settings.metrics_port is not None:
            registry = CollectorRegistry()
            registry.register(MetricsCollector(self))
            self.metrics_server = MetricsServer(registry)
            self.metrics_server.ready = self._ready
            await self.metrics_server.start(settings.listen, settings.metrics_port)
        self._run(self.watcher.run())
        self._run(self.rates.run())

    async def close(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.concentrator.close()
        if self.metrics_server is not None:
            await self.metrics_server.close()

    async def apply(self, topology: Topology) -> None:
        """Do from now on what another topology says.

        Only a change of the output's own address, id, rate or outputs costs its clients
        their connections. FrameError or OSError where it cannot be done; then everything
        is as it was, or is started again as it was.
        """
        before = self.concentrator
        if before.can_become(topology):
            before.apply(topology)
            return
        after = Concentrator(topology)
        _LOG.warning(
            "%s: the output itself is another one now: its clients have to connect again",
            topology.stream.name,
        )
        await before.close()
        try:
            await self._start(after)
        except OSError:
            await after.close()
            await self._start(Concentrator(before.topology))
            raise

    def metrics(self) -> Iterable[Metric]:
        """Return the metrics as they are now."""
        yield from metrics.collect(self.concentrator, self.rates)
        watcher = self.watcher
        reloads = CounterMetricFamily(
            "pdc_configuration_reloads", "Changed configurations", labels=["result"]
        )
        reloads.add_metric(["applied"], watcher.applied)
        reloads.add_metric(["failed"], watcher.failed)
        yield reloads
        yield GaugeMetricFamily(
            "pdc_configuration_source_up",
            "1 if the configuration's source could be read the last time",
            value=not watcher.away,
        )
        yield GaugeMetricFamily(
            "pdc_configuration_from_cache",
            "1 while a copy of the configuration is used, because its source was never read",
            value=not watcher.known,
        )
        yield CounterMetricFamily(
            "pdc_clock_steps", "Times that the local clock was set", value=self.rates.clock_steps
        )

    async def _start(self, concentrator: Concentrator) -> None:
        self.concentrator = concentrator
        await concentrator.start(self._settings.listen, self._settings.port)

    def _ready(self) -> str | None:
        if self.concentrator.output.open:
            return None
        waiting = [
            mapper.input_stream.name
            for mapper in self.concentrator.mappers
            if mapper.configuration is None
        ]
        return f"the output is not open: no configuration yet of input {', '.join(waiting)}"

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(run.reraise)
        self._tasks.append(task)
