"""Commands and data over UDP."""

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
    """Listens on a UDP port for commands, and sends answers and data where they came from."""

    def __init__(self, state: SenderState, address: Address) -> None:
        self.state = state
        self.address = address
        self._doors: list[_Door] = []

    async def bind(self) -> None:
        """Take the port; OSError where it is not to be had."""
        found = await sockets.listening(self.address.host, self.address.port)
        self._doors = [_Door(self.state, sock) for sock in found]

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before bind()."""
        return int(self._doors[0].sock.getsockname()[1]) if self._doors else 0

    async def start(self) -> str:
        """Answer from now on."""
        loop = asyncio.get_running_loop()
        for door in self._doors:
            await loop.create_datagram_endpoint(lambda door=door: door, sock=door.sock)  # type: ignore[misc]
        return ", ".join(f"UDP {host_port(door.sock.getsockname())}" for door in self._doors)

    def targets(self) -> Iterable[Send]:
        """Return the clients with data turned on."""
        return [client.send for door in self._doors for client in door.clients.values()]

    def close(self) -> None:
        """Listen no more, and forget all clients."""
        for door in self._doors:
            door.close()


class _Door(DatagramSender, asyncio.DatagramProtocol):
    """One socket of a UdpListener, and its clients by socket address."""

    def __init__(self, state: SenderState, sock: socket.socket) -> None:
        super().__init__(state, sock)
        self.clients: dict[tuple[Any, ...], UdpClient] = {}
        """Those that turned data on. (Two behind one IP address have two ports.)"""
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[Any, ...]) -> None:
        client = self.clients.get(address) or UdpClient(self._state, self, address)
        client.obey(client.session.feed_datagram(data))

    def error_received(self, exc: Exception) -> None:
        self.refused()

    def refused(self) -> None:
        """Drop the clients that are not there any more."""
        for address in sockets.unreachable(self.sock):
            client = self.clients.get(address)
            if client is not None:
                self._state.counts.unreachable += 1
                client.leave("nobody is at its port any more")

    def close(self) -> None:
        """Listen no more."""
        for client in tuple(self.clients.values()):
            client.abort()
        if self._transport is None:
            self.sock.close()
        else:
            self._transport.abort()


class UdpClient(Peer):
    """A socket address that sent a command."""

    def __init__(self, state: SenderState, door: _Door, address: tuple[Any, ...]) -> None:
        super().__init__(state, str(address[0]), host_port(address))
        self.send = door.to(*address)
        """Sends one frame to it."""
        self.used = True
        self._door = door
        self._key = address

    def opened(self) -> None:
        """Count a client only once it turns data on: any host may send a datagram."""

    def reply(self, frames: tuple[bytes, ...]) -> None:
        """Send each frame of the answer as a datagram."""
        for frame in frames:
            self.send(frame)

    def switch(self, on: bool) -> None:
        """Turn data on or off; a client without data is not remembered."""
        if not on:
            self.leave("")
        elif not self.on and self.state.admit(self):
            self.on = True
            self._door.clients[self._key] = self
            self.state.joined(self)
            self.state.retarget()

    def leave(self, why: str) -> None:
        """Send nothing more."""
        if self.on:
            self.on = False
            del self._door.clients[self._key]
            self.state.dismiss(self)
            self.state.retarget()
            self.state.left(self, why)

    def abort(self) -> None:
        """Send nothing more."""
        self.leave("")
