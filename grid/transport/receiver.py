"""Receiving one stream by asyncio: connect, receive, notice a dead peer, connect again."""

import asyncio
import logging
import socket
from collections.abc import Callable

from grid.c37118 import (
    Configuration,
    Configuration3,
    DataCodec,
    ReceiverCounts,
    ReceiverSession,
    Violation,
)
from grid.transport import sockets
from grid.transport.address import Address, Transport
from grid.transport.receiver_connection import ReceiverConnection
from grid.transport.resolver import Resolver
from service.backoff import Backoff
from service.once import Once

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_CONNECT_TIMEOUT_S = 1.0


class Receiver:
    """Keeps one stream connected while run() runs, and calls back for what arrives.

    A TCP connection or a UDP stream without a valid data frame for `silence_s` seconds (and
    at least 2.5 periods of the stream) counts as lost, and is opened again; pauses between
    attempts grow from 0.1 s to `retry_s`. A spontaneous stream takes no commands: its socket
    stays open, and the configuration is kept until the next one arrives.
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
        on_problem: Callable[[Violation, str], None] | None = None,
        on_details: Callable[[Configuration3], None] | None = None,
    ) -> None:
        """Take the stream and the callbacks. Only spontaneous streams need no `idcode`.

        `on_frame` gets whole data frames of the right size and IDCODE, with the codec that
        reads them. `on_lost` is called when a connected stream is gone. `on_problem` is
        called once for each kind of violation; without it they are logged. With
        `on_details` the sender is asked for CFG-3 too, which not every sender has.
        """
        self.address = address
        """The address of the stream."""
        self.name = name
        """The name of the stream in log messages."""
        self.silence_s = silence_s
        self.retry_s = retry_s
        self.on_configuration = on_configuration
        self.on_frame = on_frame
        self.on_lost = on_lost
        self.on_problem = on_problem or self._log_problem
        self.on_details = on_details
        self.counts = ReceiverCounts()
        """What was received so far, over all connections."""
        self.connected = False
        """Whether the stream's frames or its configuration arrive."""
        self.last_failure = ""
        """Why the last attempt failed."""
        self._idcode = idcode
        self._told = Once()
        self._resolver = Resolver(
            address.host,
            address.port,
            kind=socket.SOCK_DGRAM if address.transport is Transport.UDP else socket.SOCK_STREAM,
        )
        self._failures = 0

    async def run(self) -> None:
        """Connect, receive, pause and connect again; ends only when cancelled."""
        pauses = Backoff(_FIRST_PAUSE_S, self.retry_s)
        while True:
            self.counts.attempts += 1
            connection = ReceiverConnection(self, self.session())
            try:
                try:
                    # Not wait_for(), which in Python 3.11 may swallow that run() is cancelled.
                    async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                        await self._open(connection)
                except (OSError, TimeoutError) as error:
                    self._failed(
                        sockets.reason_of(error) or f"no answer within {_CONNECT_TIMEOUT_S:g} s"
                    )
                else:
                    why = await connection.ended
                    if connection.frames:
                        self._failures = 0
                        pauses.reset()
                        _LOG.warning("%s: lost the stream: %s; trying again", self.where, why)
                    else:
                        self._failed(why)
            finally:
                connection.close()
                self.lost()
            await asyncio.sleep(pauses.pause_s())

    @property
    def where(self) -> str:
        """The stream and its address, for messages."""
        return f"{self.name} ({self.address})"

    def session(self) -> ReceiverSession:
        """Return a session for a new connection, which shares the counts."""
        return ReceiverSession(
            self._idcode,
            counts=self.counts,
            told=self._told,
            commands=self.address.transport is not Transport.SPONTANEOUS,
            details=self.on_details is not None,
        )

    def arrived(self) -> None:
        """Note that the stream's frames or its configuration arrive."""
        if not self.connected:
            self.connected = True
            self.counts.connections += 1
            _LOG.info("%s: receiving", self.where)

    def lost(self) -> None:
        """Note that the stream is gone, and call `on_lost` if it was connected."""
        if self.connected:
            self.connected = False
            self.on_lost()

    async def _open(self, connection: ReceiverConnection) -> None:
        transport = self.address.transport
        if transport in (Transport.SPONTANEOUS, Transport.TCP_UDP):
            # Before the commands, so that the port is open for the first data frame.
            sock = await sockets.receiving(self.address)
            await connection.use_data_socket(sock)
        if transport is Transport.SPONTANEOUS:
            connection.watch()
            return
        family, where = await self._resolver.resolve()
        kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
        sock = socket.socket(family, kind)
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, where)
            if transport is Transport.UDP:
                await connection.use_datagrams(sock)
            else:
                sockets.harden(sock, user_timeout_s=self.silence_s)
                await connection.use_stream(sock)
        except BaseException:
            sock.close()
            raise

    def _failed(self, reason: str) -> None:
        # Attempts 1, 2, 4, 8 ...: a dead stream must not fill the log.
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

    def _log_problem(self, _kind: Violation, what: str) -> None:
        _LOG.warning("%s: %s", self.where, what)
