"""One connection of a receiver, by whatever transports."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from grid.c37118 import Configuration, Configuration3, ReceiverEvent, ReceiverSession
from grid.transport.address import Transport
from service.socket_address import host_port

if TYPE_CHECKING:
    from grid.transport.receiver import Receiver

_LOG = logging.getLogger(__name__)

_CHECKS_A_SILENCE = 10
_REMIND_S = 1.0
"""A command by UDP that had no effect for this long is sent again."""


class ReceiverConnection:
    """The session of one connection, its transports, its end."""

    def __init__(self, receiver: "Receiver", session: ReceiverSession) -> None:
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

    async def take_data(self, sock: socket.socket) -> None:
        """Receive data from anybody by a bound UDP socket."""
        await self._loop.create_datagram_endpoint(lambda: _Data(self), sock=sock)

    async def take_both(self, sock: socket.socket) -> None:
        """Send commands and receive data by a connected UDP socket."""
        await self._loop.create_datagram_endpoint(lambda: _Both(self), sock=sock)

    async def take_stream(self, sock: socket.socket) -> None:
        """Send commands and receive whatever comes by a TCP connection."""
        await self._loop.create_connection(lambda: _Commands(self), sock=sock)

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
        if self._session.is_frame(data):
            self._frame(data)
        else:
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

    def _hand_on(self, events: Iterable[ReceiverEvent]) -> None:
        receiver = self._receiver
        for event in events:
            if isinstance(event, bytes):
                self._frame(event)
            elif isinstance(event, Configuration):
                receiver.arrived()
                receiver.on_configuration(event)
            elif isinstance(event, Configuration3):
                if receiver.on_details is not None:
                    receiver.on_details(event)
            else:
                receiver.on_problem(event.kind, event.what)
        self._flush()

    def _frame(self, frame: bytes) -> None:
        receiver, codec = self._receiver, self._session.codec
        assert codec is not None  # noqa: S101 - it cut this frame out
        self.frames += 1
        self._heard_s = self._loop.time()
        if not receiver.connected:
            receiver.arrived()
        receiver.on_frame(codec, frame)

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

    def __init__(self, connection: ReceiverConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        self._connection.add(stream)
        self._connection.command(stream.write)

    def data_received(self, data: bytes) -> None:
        self._connection.stream(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.end(reason_of(exc) if exc else "closed by the peer")


class _Data(asyncio.DatagramProtocol):
    """The UDP port that takes data of any sender."""

    def __init__(self, connection: ReceiverConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection.add(cast("asyncio.DatagramTransport", transport))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._connection.datagram_from(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.end(reason_of(exc) if exc else "closed")


class _Both(asyncio.DatagramProtocol):
    """The UDP socket that commands leave by and data come in by."""

    def __init__(self, connection: ReceiverConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        datagrams = cast("asyncio.DatagramTransport", transport)
        self._connection.add(datagrams)
        self._connection.command(datagrams.sendto)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._connection.datagram(data)

    def error_received(self, exc: Exception) -> None:
        self._connection.end(reason_of(exc))


def reason_of(error: BaseException) -> str:
    """Return why something failed; empty for a time limit of this program's own."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)  # asyncio puts the address into its own text.
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # Of a name that cannot be resolved.
    return str(error)
