"""Receiving one stream by asyncio: connects, listens, notices a dead peer, connects again."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any, cast

from grid import tcp
from grid.address import Address, Transport
from grid.c37118 import Configuration, Configuration3, DataCodec
from grid.faults import Fault, ReceiverCounts
from grid.resolver import Resolver
from grid.session import Event, Session
from grid.transport import sockets

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_CONNECT_TIMEOUT_S = 1.0
_CHECKS_A_SILENCE = 10
_REMIND_S = 1.0
"""A command by UDP that had no effect for this long is sent again."""


class Receiver:
    """Keeps one stream connected for as long as run() runs, and hands on what arrives.

    A TCP connection or a UDP stream without a usable data frame for `silence_s` (and at
    least 2.5 periods of the stream) counts as lost, and is opened anew; pauses between
    attempts grow from 0.1 s to `retry_s`. A spontaneous stream cannot be asked: its socket
    stays open, and the configuration is kept until the next one comes.
    """

    def __init__(
        self,
        address: Address,
        idcode: int | None,
        *,
        name: str,
        silence_s: float = 1.0,
        retry_s: float = 1.0,
        on_configuration: Callable[[Configuration], None],
        on_frame: Callable[[DataCodec, bytes], None],
        on_lost: Callable[[], None],
        on_problem: Callable[[Fault, str], None] | None = None,
        on_details: Callable[[Configuration3], None] | None = None,
    ) -> None:
        """Take what to receive, and whom to tell. Only spontaneous streams need no `idcode`.

        `on_frame` gets whole data frames of the right size and IDCODE, and the codec that
        reads them. `on_lost` follows a frame or a configuration once the stream is gone.
        `on_problem` is called once for each kind; without it problems are logged.
        With `on_details` the sender is asked for CFG-3 too, which not every one has.
        """
        self.address = address
        """Where the stream is had from."""
        self.name = name
        """How log messages call it."""
        self.silence_s = silence_s
        self.retry_s = retry_s
        self.on_configuration = on_configuration
        self.on_frame = on_frame
        self.on_lost = on_lost
        self.on_problem = on_problem or self._log_problem
        self.on_details = on_details
        self.counts = ReceiverCounts()
        """What came so far, over all connections."""
        self.connected = False
        """Whether the stream's frames or its configuration arrive."""
        self.last_failure = ""
        """Why the last attempt came to nothing."""
        self._idcode = idcode
        self._told: set[Fault] = set()
        self._resolver = Resolver(
            address.host,
            address.port,
            kind=socket.SOCK_DGRAM if address.transport is Transport.UDP else socket.SOCK_STREAM,
        )
        self._failures = 0

    async def run(self) -> None:
        """Connect, wait for the end, pause, and so on; ends only when cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            self.counts.attempts += 1
            link = _Link(self, self.session())
            try:
                try:
                    # Not wait_for(), which in Python 3.11 may swallow that run() is cancelled.
                    async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                        await self._open(link)
                except (OSError, TimeoutError) as error:
                    self._failed(_reason(error))
                else:
                    why = await link.ended
                    if link.frames:
                        pause_s, self._failures = _FIRST_PAUSE_S, 0
                        _LOG.warning("%s: lost the stream: %s; trying again", self.where, why)
                    else:
                        self._failed(why)
            finally:
                link.close()
                self.lost()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self.retry_s)

    @property
    def where(self) -> str:
        """The stream and its address, for messages."""
        return f"{self.name} ({self.address})"

    def session(self) -> Session:
        """Return a session that goes on counting where the last one ended."""
        return Session(
            self._idcode,
            counts=self.counts,
            told=self._told,
            commands=self.address.transport is not Transport.SPONTANEOUS,
            details=self.on_details is not None,
        )

    def arrived(self) -> None:
        """Note that the stream tells its configuration or sends."""
        if not self.connected:
            self.connected = True
            self.counts.connections += 1
            _LOG.info("%s: receiving", self.where)

    def lost(self) -> None:
        """Note that the stream is gone, and say so to whoever got something of it."""
        if self.connected:
            self.connected = False
            self.on_lost()

    async def _open(self, link: "_Link") -> None:
        loop = asyncio.get_running_loop()
        transport = self.address.transport
        if transport in (Transport.SPONTANEOUS, Transport.TCP_UDP):
            # Before the commands, so that the first data frame finds its port open.
            sock = await sockets.receiving(self.address)
            await loop.create_datagram_endpoint(lambda: _Data(link), sock=sock)
        if transport is Transport.SPONTANEOUS:
            link.watch()
            return
        family, where = await self._resolver.resolve()
        kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
        sock = socket.socket(family, kind)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, where)
            if transport is Transport.UDP:
                await loop.create_datagram_endpoint(lambda: _Both(link), sock=sock)
            else:
                tcp.harden(sock, user_timeout_s=self.silence_s)
                await loop.create_connection(lambda: _Commands(link), sock=sock)
        except BaseException:
            sock.close()
            raise

    def _failed(self, reason: str) -> None:
        # The first failure, and then ever fewer: a dead stream is no reason to fill a disk.
        self._failures += 1
        self.last_failure = reason
        if self._failures & (self._failures - 1) == 0:
            _LOG.warning(
                "%s: no stream (attempt %d): %s; trying on, at least every %g s",
                self.where,
                self._failures,
                reason,
                self.retry_s,
            )

    def _log_problem(self, _kind: Fault, what: str) -> None:
        _LOG.warning("%s: %s", self.where, what)


class _Link:
    """One connection of a Receiver: its session, its transports, its end."""

    def __init__(self, receiver: Receiver, session: Session) -> None:
        self.frames = 0
        """Data frames so far."""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done with the reason when the connection has ended."""
        self._receiver = receiver
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._reminded_s = self._loop.time()
        self._check: asyncio.TimerHandle | None = None
        self._transports: list[asyncio.Transport | asyncio.DatagramTransport] = []
        self._send: Callable[[bytes], object] | None = None
        self._source: Any = None
        self._source_s = 0.0
        self._idle = False

    def add(self, transport: asyncio.Transport | asyncio.DatagramTransport) -> None:
        """Close this transport at the end."""
        self._transports.append(transport)

    def command(self, send: Callable[[bytes], object]) -> None:
        """Begin with the commands, which `send` takes."""
        self._send = send
        self._session.open()
        self._flush()
        self.watch()

    def stream(self, data: bytes) -> None:
        """Take bytes of the TCP connection."""
        self._hand_on(self._session.feed(data))

    def datagram(self, data: bytes) -> None:
        """Take a datagram of the one address that the socket is connected to."""
        self._hand_on(self._session.feed_datagram(data))

    def datagram_from(self, data: bytes, source: Any) -> None:
        """Take a datagram that anybody may have sent.

        As long as frames of the stream come from one address, those of another are ignored.
        """
        counts, now = self._session.counts, self._loop.time()
        if source != self._source and self._source is not None:
            if now - self._source_s < self._session.silence_s(self._receiver.silence_s):
                text = (
                    f"datagrams come from {tcp.text(source)} beside {tcp.text(self._source)}, "
                    "and are ignored while the latter come: are there two senders?"
                )
                self._hand_on(self._session.stranger(text))
                return
            self._source = None
        before = counts.wrong_idcodes + counts.skipped_bytes
        self._hand_on(self._session.feed_datagram(data))
        if before == counts.wrong_idcodes + counts.skipped_bytes:
            self._source, self._source_s = source, now

    def end(self, why: str) -> None:
        """Note that the connection is over, and why."""
        if not self.ended.done():
            self.ended.set_result(why)

    def close(self) -> None:
        """End the connection at once."""
        if self._check is not None:
            self._check.cancel()
        if self._receiver.address.transport is Transport.UDP:
            self._session.leave()
            self._flush()
        for transport in self._transports:
            transport.abort()
        self.end("closed")

    def watch(self) -> None:
        """See to it that silence is noticed."""
        now, receiver, session = self._loop.time(), self._receiver, self._session
        silent_s = now - self._heard_s
        limit_s = session.silence_s(receiver.silence_s)
        if silent_s >= limit_s:
            what = "data frame" if session.codec else "configuration"
            why = f"no {what} for {limit_s:g} s, the peer counts as dead"
            if receiver.address.transport is not Transport.SPONTANEOUS:
                self.end(why)
                return
            self._wait(why)
        elif receiver.address.transport is Transport.UDP and (
            min(silent_s, now - self._reminded_s) >= _REMIND_S
        ):
            self._reminded_s = now
            session.remind()
            self._flush()
        pause_s = min(limit_s, receiver.silence_s) / _CHECKS_A_SILENCE
        self._check = self._loop.call_later(pause_s, self.watch)

    def _hand_on(self, events: Iterable[Event]) -> None:
        receiver, session = self._receiver, self._session
        for event in events:
            if isinstance(event, bytes):
                assert session.codec is not None  # noqa: S101 - it cut this frame out
                self.frames += 1
                self._heard_s = self._loop.time()
                receiver.arrived()
                receiver.on_frame(session.codec, event)
            elif isinstance(event, Configuration):
                receiver.arrived()
                receiver.on_configuration(event)
            elif isinstance(event, Configuration3):
                if receiver.on_details is not None:
                    receiver.on_details(event)
            else:
                receiver.on_problem(event.kind, event.what)
        self._flush()

    def _wait(self, why: str) -> None:
        """Note that a spontaneous stream is silent: there is nobody to ask."""
        receiver = self._receiver
        if receiver.connected:
            _LOG.warning("%s: lost the stream: %s; listening on", receiver.where, why)
            receiver.lost()
        elif not self._idle:
            _LOG.info("%s: %s yet; listening on", receiver.where, why.partition(" for ")[0])
        self._idle = True

    def _flush(self) -> None:
        for frame in self._session.commands():
            if self._send is not None:
                self._send(frame)


class _Commands(asyncio.Protocol):
    """The TCP connection."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        self._link.add(stream)
        self._link.command(stream.write)

    def data_received(self, data: bytes) -> None:
        self._link.stream(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.end(_reason(exc) if exc else "closed by the peer")


class _Data(asyncio.DatagramProtocol):
    """The UDP port that takes data of any sender."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link.add(cast("asyncio.DatagramTransport", transport))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._link.datagram_from(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.end(_reason(exc) if exc else "closed")


class _Both(asyncio.DatagramProtocol):
    """The UDP socket that commands leave by and data come in by."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        datagrams = cast("asyncio.DatagramTransport", transport)
        self._link.add(datagrams)
        self._link.command(datagrams.sendto)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._link.datagram(data)

    def error_received(self, exc: Exception) -> None:
        self._link.end(_reason(exc))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_CONNECT_TIMEOUT_S:g} s"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)  # asyncio puts the address into its own text.
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # Of a name that cannot be resolved.
    return str(error)
