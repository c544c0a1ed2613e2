"""The monitor as a scraper and a probe see it."""

import asyncio
import math
import random
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from service import metrics_server
from service.latency import Latencies
from service.metrics_server import MetricsCollector, MetricsServer

HOST = "127.0.0.1"


class Frames:
    """A source whose counter the test moves."""

    def __init__(self):
        self.sent = 0
        self.late = Latencies()

    def metrics(self):
        counter = CounterMetricFamily("frames_sent", "Frames sent.", labels=["pmu"])
        counter.add_metric(["pmu-1"], self.sent)
        yield counter
        yield metrics_server.summary(
            "lateness_seconds", "Lateness.", [({"pmu": "pmu-1"}, self.late)]
        )


def get(port: int, path: str, method: str = "GET") -> tuple[int, str, str]:
    request = urllib.request.Request(f"http://{HOST}:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - always http
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


async def ask(served: MetricsServer, path: str, method: str = "GET") -> tuple[int, str, str]:
    return await asyncio.to_thread(get, served.port, path, method)


async def raw(served: MetricsServer, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, served.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.fixture
def registry():
    return CollectorRegistry()


async def test_metrics_are_read_from_the_source_at_each_scrape(registry):
    source = Frames()
    registry.register(MetricsCollector(source))
    served = MetricsServer(registry)
    await served.start(HOST, 0)
    for sent in (7, 8):
        source.sent = sent
        source.late.add(0.001 * sent)
        status, kind, text = await ask(served, "/metrics")
        samples = {
            (sample.name, sample.labels.get("quantile")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert status == 200
        assert kind.startswith("text/plain")
        assert samples["frames_sent_total", None] == sent
        assert samples["lateness_seconds", "1"] == 0.001 * sent
        assert samples["lateness_seconds_count", None] == sent - 6
        assert samples["process_resident_memory_bytes", None] > 1e6
    await served.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_get_the_verdict_of_the_moment(registry, path):
    served = MetricsServer(registry)
    await served.start(HOST, 0)
    problem = None
    served.healthy = lambda: problem if path == "/healthz" else "not asked for"
    served.ready = lambda: problem if path == "/readyz" else "not asked for"
    assert (await ask(served, path))[::2] == (200, "ok\n")
    problem = "no input has told its configuration"
    assert (await ask(served, path))[::2] == (503, problem + "\n")
    problem = None
    assert (await ask(served, path + "?verbose"))[0] == 200
    await served.close()


async def test_other_requests_are_refused_in_a_sentence(registry):
    served = MetricsServer(registry)
    await served.start(HOST, 0)
    assert (await ask(served, "/"))[::2] == (404, "here are /metrics, /healthz and /readyz\n")
    assert (await ask(served, "/metrics", "DELETE"))[0] == 405
    assert (await ask(served, "/healthz", "HEAD"))[::2] == (200, "")
    assert b" 400 " in await raw(served, b"\xaa\x41\x00\x12\r\n\r\n")
    assert b" 400 " in await raw(served, b"GET /" + b"x" * 10_000)
    await served.close()


async def test_a_request_in_pieces_is_answered(registry):
    served = MetricsServer(registry)
    await served.start(HOST, 0)
    reader, writer = await asyncio.open_connection(HOST, served.port)
    for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost: x\r\n", b"\r\n"):
        writer.write(piece)
        await asyncio.sleep(0.01)
    assert (await reader.read()).endswith(b"\r\n\r\nok\n")
    writer.close()
    await served.close()


async def test_connections_that_say_nothing_are_closed(registry, monkeypatch):
    monkeypatch.setattr(metrics_server, "_PATIENCE_S", 0.05)
    served = MetricsServer(registry)
    await served.start(HOST, 0)
    assert await raw(served, b"GET /he") == b""
    assert not served.connections
    await served.close()


async def test_a_taken_port_is_an_os_error(registry):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await MetricsServer(registry).start(HOST, taken.getsockname()[1])


def test_quantiles_are_bounds_that_are_at_most_15_percent_high():
    chance = random.Random(1)  # noqa: S311
    durations = [chance.lognormvariate(-7, 1) for _ in range(20_000)]
    kept = Latencies()
    for duration in durations:
        kept.add(duration)
    durations.sort()
    for share in (0.01, 0.5, 0.9, 0.99, 0.999):
        exact = durations[math.ceil(share * len(durations)) - 1]
        assert exact <= kept.quantile(share) <= exact * 1.1501
    assert kept.quantile(1.0) == kept.maximum_s == durations[-1]
    assert kept.minimum_s == durations[0]
    assert kept.sum_s == pytest.approx(sum(durations))


def test_durations_outside_the_classes_count_too():
    kept = Latencies()
    assert math.isnan(kept.quantile(0.5))
    for duration in (-0.5, 0.0, 100.0):
        kept.add(duration)
    assert kept.count == 3
    assert kept.quantile(0.3) <= 10e-6
    assert kept.quantile(1.0) == 100.0
    kept.clear()
    assert kept.count == 0
