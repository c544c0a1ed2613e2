"""The simulator's counters as Prometheus metrics."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from grid.pmu.simulator import Simulator
from service.metrics_server import MetricsCollector, MetricsServer, summary

_COUNTERS = {
    "frames": ("frames_published", "Data frames that had receivers."),
    "sent": ("frames_sent", "Data frames, counted for each receiver."),
    "unsent": ("datagrams_refused", "Datagrams that the kernel did not take."),
    "slow": ("clients_slow", "Clients dropped because they did not read."),
    "unreachable": ("clients_unreachable", "UDP clients dropped: nobody is there."),
    "refused": ("clients_refused", "Clients that came when the limit was reached."),
    "bad_crcs": ("commands_bad_crc", "Received frames with a wrong CRC."),
    "wrong_idcodes": ("commands_wrong_idcode", "Commands for another stream."),
    "unanswered": ("commands_unanswered", "Commands without an answer."),
}
"""Attribute of grid.transport's SenderCounts, metric, description."""


def metrics_server(simulator: Simulator) -> MetricsServer:
    """Return the metrics server of a simulator, not started yet."""
    registry = CollectorRegistry()
    registry.register(MetricsCollector(_Numbers(simulator)))
    served = MetricsServer(registry)
    served.healthy = simulator.overdue
    served.ready = simulator.waiting
    return served


class _Numbers:
    """Reads a simulator's counters."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def metrics(self) -> Iterable[Metric]:
        """Return the metrics as they are now."""
        yield from self._of_pmus()
        yield from self._of_rates()
        yield summary(
            "pmu_frame_lateness_seconds",
            "From a frame's time stamp to when the kernel had it for its last receiver.",
            [({}, self._simulator.lateness)],
        )

    def _of_pmus(self) -> Iterable[Metric]:
        counters = {
            key: CounterMetricFamily(f"pmu_{name}", text, labels=["pmu"])
            for key, (name, text) in _COUNTERS.items()
        }
        clients = GaugeMetricFamily("pmu_clients", "Clients connected.", labels=["pmu"])
        receivers = GaugeMetricFamily(
            "pmu_receivers", "Destinations that data frames go to now.", labels=["pmu"]
        )
        for publisher in self._simulator.publishers:
            name, counts = [publisher.stream.name], publisher.server.counts
            for key, counter in counters.items():
                counter.add_metric(name, getattr(counts, key))
            clients.add_metric(name, len(publisher.server.clients))
            receivers.add_metric(name, publisher.server.receivers)
        yield from (*counters.values(), clients, receivers)

    def _of_rates(self) -> Iterable[Metric]:
        skipped = CounterMetricFamily(
            "pmu_slots_skipped", "Reporting times without frames.", labels=["rate"]
        )
        steps = CounterMetricFamily(
            "pmu_clock_steps", "How often the clock was found set.", labels=["rate"]
        )
        for group in self._simulator.groups:
            skipped.add_metric([str(group.rate)], group.pacer.skipped)
            steps.add_metric([str(group.rate)], group.pacer.steps)
        yield from (skipped, steps)
