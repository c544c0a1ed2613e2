"""Receiving one stream by asyncio: connects, listens, notices a dead peer, connects again."""

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
from grid.transport.receiver_connection import ReceiverConnection, reason_of
from grid.transport.resolver import Resolver
from service.backoff import Backoff
from service.once import Once

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_CONNECT_TIMEOUT_S = 1.0


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
        on_problem: Callable[[Violation, str], None] | None = None,
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
        self._told = Once()
        self._resolver = Resolver(
            address.host,
            address.port,
            kind=socket.SOCK_DGRAM if address.transport is Transport.UDP else socket.SOCK_STREAM,
        )
        self._failures = 0

    async def run(self) -> None:
        """Connect, wait for the end, pause, and so on; ends only when cancelled."""
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
                    self._failed(reason_of(error) or f"no answer within {_CONNECT_TIMEOUT_S:g} s")
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
        """Return a session that goes on counting where the last one ended."""
        return ReceiverSession(
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

    async def _open(self, connection: ReceiverConnection) -> None:
        transport = self.address.transport
        if transport in (Transport.SPONTANEOUS, Transport.TCP_UDP):
            # Before the commands, so that the first data frame finds its port open.
            sock = await sockets.receiving(self.address)
            await connection.take_data(sock)
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
                await connection.take_both(sock)
            else:
                sockets.harden(sock, user_timeout_s=self.silence_s)
                await connection.take_stream(sock)
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

    def _log_problem(self, _kind: Violation, what: str) -> None:
        _LOG.warning("%s: %s", self.where, what)
