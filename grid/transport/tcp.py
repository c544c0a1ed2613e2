"""The sender over TCP: commands over TCP, data over TCP or to a UDP port of the client."""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable
from typing import cast

from grid.transport import sockets
from grid.transport.address import Address
from grid.transport.datagrams import DatagramSender
from grid.transport.sender_state import Peer, Send, SenderState
from service.socket_address import host_port

_SEND_BUFFER = 64 * 1024
"""Send buffer of the kernel for each client, in bytes."""
_USER_TIMEOUT_S = 10.0
_BACKLOG = 128


class TcpListener:
    """Listens on a TCP port, and serves the clients that connect."""

    def __init__(self, state: SenderState, address: Address) -> None:
        self.state = state
        self.address = address
        self._server: asyncio.Server | None = None
        self._receivers: dict[TcpClient, Send] = {}
        self._data: dict[socket.AddressFamily, DatagramSender] = {}

    async def bind(self) -> None:
        """Bind the port; connections are still refused. OSError where it is not available."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: TcpClient(self),
            self.address.host or None,
            self.address.port,
            reuse_address=True,
            backlog=_BACKLOG,
            start_serving=False,
        )

    @property
    def port(self) -> int:
        """The listening port; 0 before bind()."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> str:
        """Start to accept connections; return the addresses, for the log."""
        assert self._server is not None, "bind() first"  # noqa: S101
        await self._server.start_serving()
        where = ", ".join(host_port(sock.getsockname()) for sock in self._server.sockets)
        to = f", data to UDP port {self.address.data_port}" if self.address.data_port else ""
        return where + to

    def targets(self) -> Iterable[Send]:
        """Return one function for each client with data on, or for each of their UDP ports."""
        if not self.address.data_port:
            return self._receivers.values()
        # Clients on one host share its data port, which gets each frame once.
        hosts = Counter((client.family, client.host) for client in self._receivers)
        return [self._sender(family).to(host, self.address.data_port) for family, host in hosts]

    def switch(self, client: "TcpClient", send: Send | None) -> None:
        """Turn a client's data on, to be sent by `send`, or off (None)."""
        if send is None:
            self._receivers.pop(client, None)
        else:
            self._receivers[client] = send
        self.state.retarget()

    def close(self) -> None:
        """Stop listening, and end all connections."""
        if self._server is not None:
            self._server.close()
        for client in tuple(self.state.clients):
            client.abort()
        for sender in self._data.values():
            sender.close()

    def _sender(self, family: socket.AddressFamily) -> DatagramSender:
        if family not in self._data:
            self._data[family] = DatagramSender(self.state, sockets.sending(family, self.address))
        return self._data[family]


class TcpClient(Peer, asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, listener: TcpListener) -> None:
        super().__init__(listener.state, "?", "?")
        self.family: socket.AddressFamily = socket.AF_INET
        """IPv4 or IPv6."""
        self._listener = listener
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client, or refuse it."""
        # No isinstance: uvloop's transports have classes of their own.
        self._transport = transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername") or ("?", 0)
        self.host, self.address = str(peer[0]), host_port(peer)
        if not self.state.admit(self):
            transport.abort()
            return
        sock: socket.socket = transport.get_extra_info("socket")
        self.family = socket.AddressFamily(sock.family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        sockets.harden(sock, user_timeout_s=_USER_TIMEOUT_S)
        transport.set_write_buffer_limits(high=self.state.buffer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self.on:
            self.switch(False)
        self.state.dismiss(self)
        if self.used:
            self.state.left(self, str(exc) if exc else "")

    def data_received(self, data: bytes) -> None:
        """Obey the commands in the bytes."""
        self.obey(self.session.feed(data))

    def pause_writing(self) -> None:
        """Drop the client, whose buffer is full."""
        self.state.counts.slow += 1
        self.warn("slow", "is dropped: it does not read what it asked for")
        self.abort()

    def reply(self, frames: tuple[bytes, ...]) -> None:
        """Write the answer, whose length must not make the client count as slow."""
        answer = b"".join(frames)
        self._transport.set_write_buffer_limits(high=self.state.buffer + len(answer))
        self._transport.write(answer)

    def switch(self, on: bool) -> None:
        """Turn data on or off."""
        self.on = on
        self._listener.switch(self, self._transport.write if on else None)

    def abort(self) -> None:
        """End the connection without waiting for the client."""
        if self.on:
            self.switch(False)
        self._transport.abort()
