"""The PDC's statistics as Prometheus metrics, in openPDC's vocabulary."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from grid.pdc.concentrator import Concentrator
from grid.pdc.frame_rates import FrameRates
from grid.pdc.input_mapper import InputMapper
from grid.pdc.outputs.mqtt_output import MqttOutput
from service.metrics_server import summary

_INPUT = (
    ("received", "frames", "Data frames that arrived whole"),
    ("missing", "missing_frames", "Frames lacking between the time stamps of those that came"),
    ("out_of_order", "out_of_order_frames", "Frames older than the one before them"),
    ("duplicate", "duplicate_frames", "Frames whose time stamp had come already"),
    ("late", "late_frames", "Frames that came after their time stamp was published"),
    ("ahead", "early_frames", "Frames further in the future than the lead time"),
    ("between", "off_time_frames", "Frames of no reporting time of the output"),
    ("downsampled", "downsampled_frames", "Frames left out to reach the output's rate"),
    ("by_arrival", "arrival_sorted_frames", "Frames sorted by their arrival"),
    ("bad_time", "bad_time_frames", "Frames left out because their clock is not in sync"),
    ("bad_values", "conversion_errors", "Blocks that do not fit the output's format"),
    ("clock_jumps", "clock_jumps", "Steps of the time stamps against the local clock"),
    ("configuration_changes", "configuration_changes", "Changes of the configuration"),
)
"""Attribute of InputCounts, metric, text."""
_DISCARDED = ("duplicate", "late", "ahead", "between", "bad_time")


def collect(concentrator: Concentrator, rates: FrameRates) -> Iterable[Metric]:
    """Return all of a PDC's metrics as they are now."""
    yield from _inputs(concentrator.mappers, rates)
    yield from _output(concentrator, rates)


def _inputs(mappers: list[InputMapper], rates: FrameRates) -> Iterator[Metric]:
    def counter(name: str, text: str, values: Iterable[tuple[InputMapper, float]]) -> Metric:
        metric = CounterMetricFamily(f"pdc_input_{name}", text, labels=["input"])
        for mapper, value in values:
            metric.add_metric([mapper.input_stream.name], value)
        return metric

    def gauge(name: str, text: str, values: Iterable[tuple[InputMapper, float]]) -> Metric:
        metric = GaugeMetricFamily(f"pdc_input_{name}", text, labels=["input"])
        for mapper, value in values:
            metric.add_metric([mapper.input_stream.name], value)
        return metric

    for attribute, name, text in _INPUT:
        yield counter(
            name, text, ((mapper, getattr(mapper.aligned.counts, attribute)) for mapper in mappers)
        )
    yield counter(
        "expected_frames",
        "Frames that should have arrived, by the time stamps of those that did",
        ((mapper, mapper.aligned.counts.expected) for mapper in mappers),
    )
    yield counter(
        "crc_errors",
        "Frames with a wrong CRC",
        ((mapper, mapper.receiver.counts.bad_crcs) for mapper in mappers),
    )
    yield counter(
        "connections",
        "Connections made",
        ((mapper, mapper.receiver.counts.connections) for mapper in mappers),
    )
    yield gauge(
        "connected",
        "1 while connected",
        ((mapper, mapper.receiver.connected) for mapper in mappers),
    )
    yield gauge(
        "frame_rate_hertz",
        "Data frames a second, over the last seconds",
        ((mapper, rates.of(mapper)) for mapper in mappers),
    )
    heard = [mapper for mapper in mappers if mapper.aligned.counts.latency.count]
    yield gauge(
        "minimum_latency_seconds",
        "The shortest time from time stamp to arrival",
        ((mapper, mapper.aligned.counts.latency.minimum_s) for mapper in heard),
    )
    yield summary(
        "pdc_input_latency_seconds",
        "From time stamp to arrival by the local clock",
        (({"input": mapper.input_stream.name}, mapper.aligned.counts.latency) for mapper in heard),
    )


def _output(concentrator: Concentrator, rates: FrameRates) -> Iterator[Metric]:
    counts = concentrator.aligner.counts
    inputs = [mapper.aligned.counts for mapper in concentrator.mappers]
    absent = sum(counts.absent.values())
    for name, text, value in (
        ("frames", "Frames published", counts.published),
        ("incomplete_frames", "Published frames without all PMUs", counts.incomplete),
        ("skipped_frames", "Reporting times for which nothing came", counts.skipped),
        ("expected_blocks", "PMU blocks in published frames", counts.blocks_expected),
        ("received_blocks", "Of these the ones with data", counts.blocks_expected - absent),
        (
            "discarded_frames",
            "Input frames not used: duplicate, late, early, off time or of a bad clock",
            sum(getattr(count, name) for count in inputs for name in _DISCARDED),
        ),
        (
            "downsampled_frames",
            "Input frames left out to reach the output's rate",
            sum(count.downsampled for count in inputs),
        ),
        ("timelines", "New timelines begun after all clocks stepped", counts.rebased),
        ("configuration_changes", "Changes of the output's CFG-2", concentrator.changes),
    ):
        yield CounterMetricFamily(f"pdc_output_{name}", text, value=value)
    metric = CounterMetricFamily(
        "pdc_output_absent_blocks", "Published blocks without data", labels=["pmu"]
    )
    names = {pmu.output_id: pmu.name for pmu in concentrator.topology.pmus}
    for pmu, count in counts.absent.items():
        metric.add_metric([names.get(pmu, str(pmu))], count)
    yield metric
    clients = concentrator.output.server.clients
    for name, text, number in (
        ("connected_clients", "Connections of the output", len(clients)),
        ("receiving_clients", "Clients that data are sent to", sum(one.on for one in clients)),
        ("frame_rate_hertz", "Frames published a second", rates.of(concentrator)),
    ):
        yield GaugeMetricFamily(f"pdc_output_{name}", text, value=number)
    if concentrator.output.mqtt is not None:
        yield from _mqtt(concentrator.output.mqtt)
    if counts.alignment.count:
        yield GaugeMetricFamily(
            "pdc_output_minimum_latency_seconds",
            "The shortest time from a frame's last arrival to its being sent",
            value=counts.alignment.minimum_s,
        )
    yield summary(
        "pdc_output_latency_seconds",
        "From a frame's last arrival to its being sent, where it did not wait in vain",
        [({}, counts.alignment)],
    )
    yield summary(
        "pdc_output_total_latency_seconds",
        "From a frame's time stamp to its being sent, by the local clock",
        [({}, counts.total)],
    )


def _mqtt(mqtt: MqttOutput) -> Iterator[Metric]:
    counts = mqtt.counts
    for name, text, value in (
        ("frames", "Output frames handed to the broker", counts.frames),
        ("messages", "Messages made of them", counts.messages),
        ("dropped_frames", "Output frames left out because too many waited", counts.dropped),
        ("connections", "Connections that the broker accepted", counts.connections),
    ):
        yield CounterMetricFamily(f"pdc_mqtt_{name}", text, value=value)
    yield GaugeMetricFamily("pdc_mqtt_connected", "1 while connected", value=mqtt.connected)
