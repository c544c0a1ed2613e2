"""One connection of a receiver, over any transport."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

from grid.c37118 import (
    Configuration,
    Configuration3,
    DataCodec,
    ReceiverEvent,
    ReceiverSession,
    Violation,
)
from grid.transport import sockets
from grid.transport.address import Address, Transport
from service.socket_address import host_port

_LOG = logging.getLogger(__name__)

_CHECKS_A_SILENCE = 10
_REMIND_S = 1.0
"""Seconds until a command over UDP that had no effect is sent again."""


class StreamHandler(Protocol):
    """Takes what a connection receives; a Receiver is one."""

    address: Address
    """The address of the stream."""
    silence_s: float
    """Seconds without a data frame after which the stream counts as lost."""
    connected: bool
    """Whether the stream's frames or its configuration arrive."""
    on_configuration: Callable[[Configuration], None]
    on_details: Callable[[Configuration3], None] | None
    on_frame: Callable[[DataCodec, bytes], None]
    on_problem: Callable[[Violation, str], None]

    @property
    def where(self) -> str:
        """The stream and its address, for messages."""

    def arrived(self) -> None:
        """Note that the stream's frames or its configuration arrive."""

    def lost(self) -> None:
        """Note that the stream is gone."""


class ReceiverConnection:
    """One connection: its session, its asyncio transports, and its end."""

    def __init__(self, handler: StreamHandler, session: ReceiverSession) -> None:
        self.frames = 0
        """Data frames received so far."""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Resolves to the reason when the connection has ended."""
        self._handler = handler
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._reminded_s = self._loop.time()
        self._check: asyncio.TimerHandle | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._transports: list[asyncio.Transport | asyncio.DatagramTransport] = []
        self._send: Callable[[bytes], object] | None = None
        self._source: Any = None
        self._source_s = 0.0
        self._idle = False

    async def use_data_socket(self, sock: socket.socket) -> None:
        """Receive data from any sender on a bound UDP socket."""
        await self._loop.create_datagram_endpoint(lambda: _Data(self), sock=sock)

    async def use_datagrams(self, sock: socket.socket) -> None:
        """Send commands and receive data on a connected UDP socket."""
        await self._loop.create_datagram_endpoint(lambda: _CommandsAndData(self), sock=sock)

    async def use_stream(self, sock: socket.socket) -> None:
        """Send commands and receive frames on a TCP connection."""
        await self._loop.create_connection(lambda: _Commands(self), sock=sock)

    def add(self, transport: asyncio.Transport | asyncio.DatagramTransport) -> None:
        """Register a transport, which close() ends."""
        self._transports.append(transport)

    def command(self, send: Callable[[bytes], object]) -> None:
        """Send the first commands by `send`, and watch for silence."""
        self._send = send
        self._session.open()
        self._flush()
        self._asking = self._loop.call_later(self._session.SETTLE_S, self._ask)
        self.watch()

    def stream(self, data: bytes) -> None:
        """Take bytes of the TCP connection."""
        if self._session.is_frame(data):
            self._frame(data)
        else:
            self._hand_on(self._session.feed(data))

    def datagram(self, data: bytes) -> None:
        """Take a datagram of the address that the socket is connected to."""
        self._hand_on(self._session.feed_datagram(data))

    def datagram_from(self, data: bytes, source: Any) -> None:
        """Take a datagram of any address.

        While frames of the stream arrive from one address, those of another are ignored.
        """
        counts, now = self._session.counts, self._loop.time()
        if source != self._source and self._source is not None:
            if now - self._source_s < self._session.silence_s(self._handler.silence_s):
                text = (
                    f"datagrams come from {host_port(source)} beside {host_port(self._source)}, "
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
        for timer in (self._check, self._asking):
            if timer is not None:
                timer.cancel()
        if self._handler.address.transport is Transport.UDP:
            self._session.leave()
            self._flush()
        for transport in self._transports:
            transport.abort()
        self.end("closed")

    def watch(self) -> None:
        """Check for silence now, and regularly from now on."""
        now, handler, session = self._loop.time(), self._handler, self._session
        silent_s = now - self._heard_s
        limit_s = session.silence_s(handler.silence_s)
        if silent_s >= limit_s:
            what = "data frame" if session.codec else "configuration"
            why = f"no {what} for {limit_s:g} s, the peer counts as dead"
            if handler.address.transport is not Transport.SPONTANEOUS:
                self.end(why)
                return
            self._wait(why)
        elif handler.address.transport is Transport.UDP and (
            min(silent_s, now - self._reminded_s) >= _REMIND_S
        ):
            self._reminded_s = now
            session.remind()
            self._flush()
        pause_s = min(limit_s, handler.silence_s) / _CHECKS_A_SILENCE
        self._check = self._loop.call_later(pause_s, self.watch)

    def _hand_on(self, events: Iterable[ReceiverEvent]) -> None:
        handler = self._handler
        for event in events:
            if isinstance(event, bytes):
                self._frame(event)
            elif isinstance(event, Configuration):
                handler.arrived()
                handler.on_configuration(event)
            elif isinstance(event, Configuration3):
                if handler.on_details is not None:
                    handler.on_details(event)
            else:
                handler.on_problem(event.kind, event.what)
        self._flush()

    def _frame(self, frame: bytes) -> None:
        handler, codec = self._handler, self._session.codec
        assert codec is not None  # noqa: S101 - only a codec yields frames
        self.frames += 1
        self._heard_s = self._loop.time()
        if not handler.connected:
            handler.arrived()
        handler.on_frame(codec, frame)

    def _wait(self, why: str) -> None:
        """Note that a spontaneous stream is silent; it takes no commands, so wait."""
        handler = self._handler
        if handler.connected:
            _LOG.warning("%s: lost the stream: %s; listening on", handler.where, why)
            handler.lost()
        elif not self._idle:
            _LOG.info("%s: %s yet; listening on", handler.where, why.partition(" for ")[0])
        self._idle = True

    def _ask(self) -> None:
        self._session.ask()
        self._flush()

    def _flush(self) -> None:
        for frame in self._session.commands():
            if self._send is not None:
                self._send(frame)


class _Commands(asyncio.Protocol):
    """The TCP connection."""

    def __init__(self, connection: ReceiverConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        self._connection.add(stream)
        self._connection.command(stream.write)

    def data_received(self, data: bytes) -> None:
        self._connection.stream(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.end(sockets.reason_of(exc) if exc else "closed by the peer")


class _Data(asyncio.DatagramProtocol):
    """The UDP socket that receives data of any sender."""

    def __init__(self, connection: ReceiverConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection.add(cast("asyncio.DatagramTransport", transport))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._connection.datagram_from(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.end(sockets.reason_of(exc) if exc else "closed")


class _CommandsAndData(asyncio.DatagramProtocol):
    """The UDP socket for commands and data."""

    def __init__(self, connection: ReceiverConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        datagrams = cast("asyncio.DatagramTransport", transport)
        self._connection.add(datagrams)
        self._connection.command(datagrams.sendto)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._connection.datagram(data)

    def error_received(self, exc: Exception) -> None:
        self._connection.end(sockets.reason_of(exc))
