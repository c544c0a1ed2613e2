"""One input of the PDC: connects, listens, notices a dead peer, connects again."""

import asyncio
import logging
import socket
from collections.abc import Callable

from grid import tcp
from grid.c37118 import Configuration, DataCodec
from grid.faults import Problem
from grid.pdc.topology import Input
from grid.resolver import Resolver
from grid.session import Session

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_CONNECT_TIMEOUT_S = 1.0
_CHECKS_A_SILENCE = 10


class Receiver:
    """Keeps one input connected for as long as run() runs, and hands on what arrives."""

    def __init__(
        self,
        source: Input,
        *,
        on_configuration: Callable[[Configuration], None],
        on_frame: Callable[[DataCodec, bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.source = source
        """What it receives."""
        self.on_configuration = on_configuration
        self.on_frame = on_frame
        self.on_lost = on_lost
        self.connections = 0
        """How often it connected."""
        self.bad_crcs = 0
        """Frames with a wrong CRC."""
        self._resolver = Resolver(source.host, source.port)
        self._failures = 0

    async def run(self) -> None:
        """Connect, wait for the end, pause, and so on; ends only when cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                connection = await asyncio.wait_for(self._connect(), _CONNECT_TIMEOUT_S)
            except (OSError, TimeoutError) as error:
                self._failed(error)
            else:
                try:
                    why = await connection.ended
                finally:
                    connection.abort()
                self.bad_crcs += connection.bad_crcs
                self.on_lost()
                if connection.frames:
                    pause_s, self._failures = _FIRST_PAUSE_S, 0
                _LOG.warning("%s: lost the connection: %s; connecting again", self._where, why)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self.source.retry_s)

    @property
    def _where(self) -> str:
        source = self.source
        return f"input {source.name} ({tcp.text((source.host, source.port))})"

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        family, address = await self._resolver.resolve()
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
            tcp.harden(sock, user_timeout_s=self.source.silence_s)
            _, connection = await loop.create_connection(lambda: _Connection(self), sock=sock)
        except BaseException:
            sock.close()
            raise
        self.connections += 1
        _LOG.info("%s: connected, asking for CFG-2", self._where)
        return connection

    def _failed(self, error: BaseException) -> None:
        # The first failure, and then ever fewer: a dead input is no reason to fill a disk.
        self._failures += 1
        if self._failures & (self._failures - 1) == 0:
            reason = (
                f"no answer within {_CONNECT_TIMEOUT_S:g} s"
                if isinstance(error, TimeoutError)
                else getattr(error, "strerror", None) or str(error)
            )
            _LOG.warning(
                "%s: cannot connect (attempt %d): %s; trying on, at least every %g s",
                self._where,
                self._failures,
                reason,
                self.source.retry_s,
            )


class _Connection(asyncio.Protocol):
    """One connection of a Receiver."""

    def __init__(self, receiver: Receiver) -> None:
        loop = asyncio.get_running_loop()
        self._receiver = receiver
        self._loop = loop
        self._session = Session(receiver.source.idcode)
        self._transport: asyncio.Transport | None = None
        self._heard_s = loop.time()
        self._check: asyncio.TimerHandle | None = None
        self.frames = 0
        """Data frames so far."""
        self.ended: asyncio.Future[str] = loop.create_future()
        """Done with the reason when the connection has ended."""

    @property
    def bad_crcs(self) -> int:
        """Frames with a wrong CRC."""
        return self._session.counts.bad_crcs

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the configuration."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP always gives one
        self._transport = transport
        self._session.open()
        self._flush()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Hand on what the bytes say."""
        receiver = self._receiver
        for event in self._session.feed(data):
            if isinstance(event, bytes):
                assert self._session.codec is not None  # noqa: S101 - it cut this frame out
                self.frames += 1
                self._heard_s = self._loop.time()
                receiver.on_frame(self._session.codec, event)
            elif isinstance(event, Configuration):
                receiver.on_configuration(event)
            elif isinstance(event, Problem):
                _LOG.warning("input %s: %s", receiver.source.name, event.what)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why."""
        self._end(str(exc) if exc else "closed by the peer")

    def abort(self) -> None:
        """End the connection at once."""
        if self._check is not None:
            self._check.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        for frame in self._session.commands():
            if self._transport is not None:
                self._transport.write(frame)

    def _watch(self) -> None:
        silence_s = self._receiver.source.silence_s
        if self._loop.time() - self._heard_s >= silence_s:
            what = "data frame" if self._session.codec else "configuration"
            self._end(f"no {what} for {silence_s:g} s, the peer counts as dead")
            self.abort()
            return
        self._check = self._loop.call_later(silence_s / _CHECKS_A_SILENCE, self._watch)

    def _end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)
