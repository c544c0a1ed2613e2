"""The sender over UDP: commands and data."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

from grid.transport import sockets
from grid.transport.address import Address
from grid.transport.datagrams import DatagramSender
from grid.transport.sender_state import Peer, Send, SenderState
from service.socket_address import host_port


class UdpListener:
    """Listens on a UDP port for commands, and sends answers and data to their source."""

    def __init__(self, state: SenderState, address: Address) -> None:
        self.state = state
        self.address = address
        self._sockets: list[_ListeningSocket] = []

    async def bind(self) -> None:
        """Bind the port; OSError where it is not available."""
        found = await sockets.listening(self.address.host, self.address.port)
        self._sockets = [_ListeningSocket(self.state, sock) for sock in found]

    @property
    def port(self) -> int:
        """The listening port; 0 before bind()."""
        return int(self._sockets[0].sock.getsockname()[1]) if self._sockets else 0

    async def start(self) -> str:
        """Start to answer; return the addresses, for the log."""
        loop = asyncio.get_running_loop()
        for served in self._sockets:
            await loop.create_datagram_endpoint(lambda served=served: served, sock=served.sock)  # type: ignore[misc]
        return ", ".join(f"UDP {host_port(served.sock.getsockname())}" for served in self._sockets)

    def targets(self) -> Iterable[Send]:
        """Return one function for each client with data on."""
        return [client.send for served in self._sockets for client in served.clients.values()]

    def close(self) -> None:
        """Stop listening, and drop all clients."""
        for served in self._sockets:
            served.close()


class _ListeningSocket(DatagramSender, asyncio.DatagramProtocol):
    """The socket of one address family, and its clients by socket address."""

    def __init__(self, state: SenderState, sock: socket.socket) -> None:
        super().__init__(state, sock)
        self.clients: dict[tuple[Any, ...], UdpClient] = {}
        """Clients with data on, by address and port: several may share an IP address."""
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[Any, ...]) -> None:
        client = self.clients.get(address) or UdpClient(self._state, self, address)
        client.obey(client.session.feed_datagram(data))

    def error_received(self, exc: Exception) -> None:
        self.refused()

    def refused(self) -> None:
        """Drop the clients that the network reports as unreachable."""
        for address in sockets.unreachable(self.sock):
            client = self.clients.get(address)
            if client is not None:
                self._state.counts.unreachable += 1
                client.leave("its port is unreachable")

    def close(self) -> None:
        """Stop listening."""
        for client in tuple(self.clients.values()):
            client.abort()
        if self._transport is None:
            self.sock.close()
        else:
            self._transport.abort()


class UdpClient(Peer):
    """A socket address that sent a command."""

    def __init__(
        self, state: SenderState, served: _ListeningSocket, address: tuple[Any, ...]
    ) -> None:
        super().__init__(state, str(address[0]), host_port(address))
        self.send = served.to(*address)
        """Sends one frame to this client."""
        self.used = True
        self._served = served
        self._key = address

    def opened(self) -> None:
        """Count a client only once it turns data on: any host may send a datagram."""

    def reply(self, frames: tuple[bytes, ...]) -> None:
        """Send each frame of the answer as a datagram."""
        for frame in frames:
            self.send(frame)

    def switch(self, on: bool) -> None:
        """Turn data on or off; only clients with data on are kept."""
        if not on:
            self.leave("")
        elif not self.on and self.state.admit(self):
            self.on = True
            self._served.clients[self._key] = self
            self.state.joined(self)
            self.state.retarget()

    def leave(self, why: str) -> None:
        """Stop sending to this client."""
        if self.on:
            self.on = False
            del self._served.clients[self._key]
            self.state.dismiss(self)
            self.state.retarget()
            self.state.left(self, why)

    def abort(self) -> None:
        """Stop sending to this client."""
        self.leave("")
