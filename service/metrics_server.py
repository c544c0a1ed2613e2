"""The metrics and health of a running service: /metrics, /healthz and /readyz over HTTP."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, cast

from prometheus_client import CollectorRegistry, ProcessCollector, exposition
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service.latency import Latencies
from service.socket_address import host_port

_LOG = logging.getLogger(__name__)

_MOST_BYTES = 8192
"""Bytes of a request; a longer one is refused."""
_PATIENCE_S = 5.0
"""A connection without a request is closed after this time."""
_MOST_CONNECTIONS = 64
_TEXT = "text/plain; charset=utf-8"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}

HealthCheck = Callable[[], str | None]
"""Returns None where all is well, otherwise one line that says what is wrong."""


class MetricsServer:
    """Serves a registry's metrics, and two health checks for an orchestrator's probes.

    `/metrics` has the registry's metrics, and CPU time, memory and file descriptors of the
    process. `/healthz` and `/readyz` answer 200, or 503 with one line
    that says why not. Each connection is one request.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        """The metrics of /metrics."""
        self.healthy: HealthCheck = lambda: None
        """The check of /healthz: a failure calls for a restart."""
        self.ready: HealthCheck = lambda: None
        """The check of /readyz: a failure keeps clients away."""
        self.connections: set[_Connection] = set()
        """Requests under way."""
        self._server: asyncio.Server | None = None
        ProcessCollector(registry=registry)

    async def start(self, listen: str | None, port: int) -> str:
        """Listen on `port` of the address `listen` (None: all); return the addresses.

        OSError where the address is not available.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), listen or None, port, reuse_address=True
        )
        where = ", ".join(host_port(sock.getsockname()) for sock in self._server.sockets)
        _LOG.info("metrics and health are served on %s", where)
        return where

    @property
    def port(self) -> int:
        """The listening port; 0 before start()."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.abort()

    def answer(self, method: str, path: str, accept: str) -> tuple[int, str, bytes]:
        """Return status, content type and body of the answer to a request."""
        if method not in ("GET", "HEAD"):
            return 405, _TEXT, b"only GET and HEAD are answered here\n"
        if path == "/metrics":
            encode, kind = exposition.choose_encoder(accept)
            return 200, kind, encode(self.registry)
        if path in ("/healthz", "/readyz"):
            problem = self.healthy() if path == "/healthz" else self.ready()
            if problem is None:
                return 200, _TEXT, b"ok\n"
            return 503, _TEXT, problem.encode() + b"\n"
        return 404, _TEXT, b"here are /metrics, /healthz and /readyz\n"


class _Connection(asyncio.Protocol):
    """One request."""

    def __init__(self, server: MetricsServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports have classes of their own.
        self._transport = transport = cast("asyncio.Transport", transport)
        if len(self._server.connections) >= _MOST_CONNECTIONS:
            transport.abort()
            return
        self._server.connections.add(self)
        self._patience = asyncio.get_running_loop().call_later(_PATIENCE_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._patience is not None:
            self._patience.cancel()

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._buffer += data
        head, end, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        if end:
            self._reply(*_parse(head, self._server))
        elif len(self._buffer) > _MOST_BYTES:
            self._reply(400, _TEXT, b"the request is too long\n")

    def abort(self) -> None:
        """End the connection without waiting for the client."""
        if self._transport is not None:
            self._transport.abort()

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        assert self._transport is not None  # noqa: S101 - data came over it
        headed = self._buffer.startswith(b"HEAD ")
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._transport.write(head.encode() + (b"" if headed else body))
        self._transport.close()


def _parse(head: bytes, server: MetricsServer) -> tuple[int, str, bytes]:
    """Return the answer to a request's head."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return 400, _TEXT, b"this port speaks HTTP\n"
    headers = dict(line.lower().partition(":")[::2] for line in lines[1:])
    accept = headers.get("accept", "").strip()
    return server.answer(words[0], words[1].partition("?")[0], accept)


class MetricsSource(Protocol):
    """A part of a program that has metrics."""

    def metrics(self) -> Iterable[Metric]:
        """Return the metrics as they are now."""


class MetricsCollector(Collector):
    """Asks its source at each scrape, so that the data path only counts plain integers."""

    def __init__(self, source: MetricsSource) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        """Return the metrics as they are now."""
        return self._source.metrics()


def summary(
    name: str, text: str, labelled: Iterable[tuple[Mapping[str, str], Latencies]]
) -> Metric:
    """Return a summary metric: quantiles 0.5, 0.99 and 1, count and sum, for each label set."""
    metric = Metric(name, text, "summary")
    for labels, latencies in labelled:
        for share, value in latencies.quantiles().items():
            metric.add_sample(name, {**labels, "quantile": share}, value)
        metric.add_sample(f"{name}_count", dict(labels), latencies.count)
        metric.add_sample(f"{name}_sum", dict(labels), latencies.sum_s)
    return metric
