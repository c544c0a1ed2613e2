"""A C37.118 sender on TCP: answers commands, sends data to whoever turned them on."""

import asyncio
import logging
import socket
from collections.abc import Callable

from grid import tcp
from grid.c37118 import Command, CommandFrame, FrameError, Reassembler

_LOG = logging.getLogger(__name__)

_COMMAND_LIMIT = 4096
"""Largest command taken from a client; a longer one is treated as garbage."""
_SEND_BUFFER = 64 * 1024
"""Asked of the kernel for each client, and allowed above it in this process."""
_USER_TIMEOUT_S = 10.0
_MOST_CLIENTS = 256

Answer = Callable[[int], bytes | None]
"""Given a command, returns the frame to send back, or None where there is none."""


class StreamServer:
    """Serves one stream to any number of clients, at most 256.

    A client that doesn't read what it asked for is dropped when 64 KiB wait for it on
    top of the kernel's buffer: nobody else waits for it. Connections that never send
    anything are no error (probes of an orchestrator do that).
    """

    def __init__(self, *, idcode: int, answer: Answer, name: str) -> None:
        self.idcode = idcode
        """The id that commands must carry."""
        self.name = name
        """How log messages call this stream."""
        self.answer = answer
        self.clients: set[_Client] = set()
        """Open connections."""
        self._server: asyncio.Server | None = None

    async def bind(self, listen: str | None, port: int) -> None:
        """Take `port` of the address `listen` (None: all); connections are still refused.

        OSError where the address is not to be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Client(self),
            listen or None,
            port,
            reuse_address=True,
            backlog=128,
            start_serving=False,
        )

    async def accept(self) -> str:
        """Accept connections from now on; return the addresses, for the log."""
        assert self._server is not None, "bind() first"  # noqa: S101
        await self._server.start_serving()
        return ", ".join(tcp.text(sock.getsockname()) for sock in self._server.sockets)

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before bind()."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    def publish(self, frame: bytes) -> None:
        """Send one data frame to the clients that turned data on."""
        for client in tuple(self.clients):
            if client.on:
                client.send(frame)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for client in tuple(self.clients):
            client.abort()


class _Client(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, server: StreamServer) -> None:
        self._server = server
        self._reassembler = Reassembler(limit=_COMMAND_LIMIT)
        self._warned: set[str] = set()
        self._transport: asyncio.Transport | None = None
        self._peer = "?"
        self._used = False
        self.on = False
        """Whether the client turned data on."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP always gives one
        self._transport = transport
        self._peer = tcp.text(transport.get_extra_info("peername"))
        if len(self._server.clients) >= _MOST_CLIENTS:
            _LOG.warning(
                "%s: refused %s, %d clients are connected already",
                self._server.name,
                self._peer,
                _MOST_CLIENTS,
            )
            transport.abort()
            return
        self._server.clients.add(self)
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        tcp.harden(sock, user_timeout_s=_USER_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.clients.discard(self)
        self.on = False
        if self._used:
            _LOG.info(
                "%s: client %s left%s", self._server.name, self._peer, f" ({exc})" if exc else ""
            )

    def data_received(self, data: bytes) -> None:
        for frame in self._reassembler.feed(data):
            try:
                command = CommandFrame.decode(frame)
            except FrameError as error:
                self._warn("frame", f"ignored a frame that is no command: {error}")
                continue
            if command.idcode != self._server.idcode:
                self._warn(
                    "idcode",
                    f"ignored a command for IDCODE {command.idcode}, this stream "
                    f"is {self._server.idcode}: set the client's device id",
                )
                continue
            self._obey(command)
        if self._reassembler.skipped_bytes:
            self._warn("garbage", "sent bytes that are no C37.118 frame; they are skipped")

    def _obey(self, command: CommandFrame) -> None:
        if not self._used:
            self._used = True
            _LOG.info("%s: client %s connected", self._server.name, self._peer)
        if command.command == Command.DATA_ON:
            self.on = True
        elif command.command == Command.DATA_OFF:
            self.on = False
        else:
            frame = self._server.answer(command.command)
            if frame is None:
                self._warn(f"command {command.command}", f"command {command.command} has no answer")
            else:
                self.send(frame)

    def send(self, frame: bytes) -> None:
        """Write one frame, or drop the client if it lags behind."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() + len(frame) > _SEND_BUFFER:
            _LOG.warning(
                "%s: dropped client %s, it does not read what it asked for",
                self._server.name,
                self._peer,
            )
            self.abort()
            return
        self._transport.write(frame)

    def abort(self) -> None:
        """End the connection without waiting for the client."""
        self.on = False
        if self._transport is not None:
            self._transport.abort()

    def _warn(self, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            _LOG.warning("%s: client %s %s", self._server.name, self._peer, message)
