"""`pdc attend`: reloads a running openPDC when its tables change, and tells whether it serves."""

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from grid.pdc.attendant.output_probe import OutputProbe
from grid.pdc.configuration_source import ConfigurationSource
from grid.pdc.configuration_watcher import ConfigurationWatcher
from grid.pdc.topology.model import Topology
from service import run
from service.metrics_server import MetricsCollector, MetricsServer

_LOG = logging.getLogger(__name__)

CONSOLE = "console"
"""Name of the FIFO in openPDC's folder that its standard input is."""
RELOAD = b"ReloadConfig\n"
"""openPDC does not look at its tables by itself."""
UNHEALTHY_S = 30.0
"""For how long openPDC may not answer before that calls for a restart: without a database at
its start it lives on, and never opens its output."""


class AttendantService:
    """Watches the tables and the output of one openPDC."""

    def __init__(
        self,
        topology: Topology,
        source: ConfigurationSource,
        folder: Path,
        *,
        poll_s: float,
        metrics_port: int | None,
    ) -> None:
        """`folder` is openPDC's own; `poll_s` is how often the tables are looked at."""
        self.watcher = ConfigurationWatcher(source, topology, self.apply, poll_s=poll_s, known=True)
        """Follows the tables."""
        self.metrics_server: MetricsServer | None = None
        """Serves health and metrics, if a port is given."""
        stream = topology.stream
        self._probe = OutputProbe("127.0.0.1", stream.address.port, stream.idcode)
        self._console = folder / CONSOLE
        self._metrics_port = metrics_port
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; OSError where the port is taken."""
        if self._metrics_port is not None:
            registry = CollectorRegistry()
            registry.register(MetricsCollector(self))
            self.metrics_server = MetricsServer(registry)
            self.metrics_server.ready = lambda: self._probe.problem
            self.metrics_server.healthy = self._healthy
            await self.metrics_server.start(None, self._metrics_port)
        self._run(self.watcher.run())
        self._run(self._probe.run())

    async def close(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.metrics_server is not None:
            await self.metrics_server.close()

    async def apply(self, topology: Topology) -> None:
        """Have openPDC read its tables again; OSError where it cannot be told."""
        # Without waiting for a reader: with none, openPDC is about to read the tables anyway.
        console = os.open(self._console, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(console, RELOAD)
        finally:
            os.close(console)
        self._probe.idcode = topology.stream.idcode
        _LOG.info("openPDC was told to read its configuration again")

    def metrics(self) -> Iterable[Metric]:
        """Return the metrics as they are now."""
        yield GaugeMetricFamily(
            "pdc_output_up",
            "1 if the output answered the last request for its configuration",
            value=self._probe.problem is None,
        )
        reloads = CounterMetricFamily(
            "pdc_configuration_reloads", "Changed configurations", labels=["result"]
        )
        reloads.add_metric(["applied"], self.watcher.applied)
        reloads.add_metric(["failed"], self.watcher.failed)
        yield reloads

    def _healthy(self) -> str | None:
        return self._probe.problem if self._probe.silent_s() >= UNHEALTHY_S else None

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(run.reraise)
        self._tasks.append(task)
