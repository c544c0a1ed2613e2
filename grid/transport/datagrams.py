"""Sending datagrams to those that asked for them, and to those that didn't."""

import asyncio
import logging
import socket
from collections.abc import Iterable
from typing import Any

from grid import tcp
from grid.address import Address
from grid.c37118 import Command, Reassembler
from grid.resolver import Resolver
from grid.transport import sockets
from grid.transport.stream import Peer, Send, Stream

_LOG = logging.getLogger(__name__)

_ANNOUNCE_S = 60.0
"""Between two CFG-2 that nobody asked for; openPDC expects about one a minute."""
_FIRST_PAUSE_S, _LAST_PAUSE_S = 1.0, 10.0


class Sender:
    """A UDP socket that sends frames, and counts what the kernel doesn't take."""

    def __init__(self, stream: Stream, sock: socket.socket) -> None:
        self.sock = sock
        self._stream = stream

    def to(self, *address: Any) -> Send:
        """Return the function that sends a frame to a socket address."""
        sendto, counts = self.sock.sendto, self._stream.counts

        def send(frame: bytes) -> None:
            try:
                sendto(frame, address)
            except OSError as error:
                # It is the last send that failed if the network refused: this one is due.
                if isinstance(error, ConnectionError) and self._again(frame, address):
                    return
                counts.unsent += 1
                self._stream.warn(
                    str(address[0]),
                    f"send {error.errno}",
                    f"cannot send to {tcp.text(address)}: {error.strerror}",
                )

        return send

    def close(self) -> None:
        """Send no more."""
        self.sock.close()

    def refused(self) -> None:
        """Note that the network refused something."""

    def _again(self, frame: bytes, address: tuple[Any, ...]) -> bool:
        self.refused()
        try:
            self.sock.sendto(frame, address)
        except OSError:
            return False
        return True


class UdpOutlet:
    """Listens on a UDP port for commands, and sends answers and data where they came from."""

    def __init__(self, stream: Stream, address: Address) -> None:
        self.stream = stream
        self.address = address
        self._doors: list[_Door] = []

    async def bind(self) -> None:
        """Take the port; OSError where it is not to be had."""
        found = await sockets.listening(self.address.host, self.address.port)
        self._doors = [_Door(self.stream, sock) for sock in found]

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before bind()."""
        return int(self._doors[0].sock.getsockname()[1]) if self._doors else 0

    async def start(self) -> str:
        """Answer from now on."""
        loop = asyncio.get_running_loop()
        for door in self._doors:
            await loop.create_datagram_endpoint(lambda door=door: door, sock=door.sock)  # type: ignore[misc]
        return ", ".join(f"UDP {tcp.text(door.sock.getsockname())}" for door in self._doors)

    def targets(self) -> Iterable[Send]:
        """Return the clients with data turned on."""
        return [client.send for door in self._doors for client in door.clients.values()]

    def close(self) -> None:
        """Listen no more, and forget all clients."""
        for door in self._doors:
            door.close()


class _Door(Sender, asyncio.DatagramProtocol):
    """One socket of a UdpOutlet, and its clients by socket address."""

    def __init__(self, stream: Stream, sock: socket.socket) -> None:
        super().__init__(stream, sock)
        self.clients: dict[tuple[Any, ...], UdpClient] = {}
        """Those that turned data on. (Two behind one IP address have two ports.)"""
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[Any, ...]) -> None:
        client = self.clients.get(address) or UdpClient(self._stream, self, address)
        reader = Reassembler()
        frames = reader.feed(data)
        reader.end()
        if reader.skipped_bytes:
            client.skipped(reader.skipped_bytes, reader.bad_crcs)
        for frame in frames:
            client.take(frame)

    def error_received(self, exc: Exception) -> None:
        self.refused()

    def refused(self) -> None:
        """Drop the clients that are not there any more."""
        for address in sockets.unreachable(self.sock):
            client = self.clients.get(address)
            if client is not None:
                self._stream.counts.unreachable += 1
                self._stream.left(client, "nobody is at its port any more")
                client.abort()

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

    def __init__(self, stream: Stream, door: _Door, address: tuple[Any, ...]) -> None:
        super().__init__(stream, str(address[0]), tcp.text(address))
        self.send = door.to(*address)
        """Sends one frame to it."""
        self.used = True
        self._door = door
        self._key = address

    def reply(self, frames: tuple[bytes, ...]) -> None:
        """Send each frame of the answer as a datagram."""
        for frame in frames:
            self.send(frame)

    def switch(self, on: bool) -> None:
        """Turn data on or off; a client without data is not remembered."""
        if on and not self.on:
            if not self.stream.admit(self):
                return
            self.stream.joined(self)
        if on:
            self._door.clients[self._key] = self
        else:
            self._door.clients.pop(self._key, None)
            self.stream.dismiss(self)
        self.on = on
        self.stream.retarget()

    def abort(self) -> None:
        """Send nothing more."""
        self.switch(False)


class SpontaneousOutlet:
    """Sends data, and a CFG-2 each minute, to one address or group; takes no commands."""

    def __init__(self, stream: Stream, address: Address) -> None:
        self.stream = stream
        self.address = address
        self._resolver = Resolver(address.host, address.port, kind=socket.SOCK_DGRAM)
        self._sender: Sender | None = None
        self._sends: list[Send] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Nothing is listened on."""
        return 0

    async def bind(self) -> None:
        """Nothing is to be taken before start()."""

    async def start(self) -> str:
        """Send from now on."""
        self._task = asyncio.ensure_future(self._announce())
        return f"unasked to {self.address}"

    def targets(self) -> Iterable[Send]:
        """Return the one destination, once its name is resolved."""
        return self._sends

    def close(self) -> None:
        """Send no more."""
        if self._task is not None:
            self._task.cancel()
        self._sends = []
        self.stream.retarget()
        if self._sender is not None:
            self._sender.close()

    async def _announce(self) -> None:
        pause_s, known = _FIRST_PAUSE_S, None
        while True:
            try:
                # Each time anew: behind a name, the receiver may have moved.
                family, where = await self._resolver.resolve()
                if (family, where) != known:
                    self._aim(family, where)
                    known = family, where
            except OSError as error:
                self.stream.warn(
                    self.address.host,
                    "destination",
                    f"cannot send to {self.address}: {error.strerror or error}; trying on",
                )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LAST_PAUSE_S)
                continue
            for frame in self.stream.answer_to(Command.SEND_CFG2) or ():
                for send in self._sends:
                    send(frame)
            await asyncio.sleep(_ANNOUNCE_S)

    def _aim(self, family: socket.AddressFamily, where: tuple[Any, ...]) -> None:
        sender = Sender(self.stream, sockets.sending(family, self.address))
        if self._sender is not None:
            self._sender.close()
        self._sender = sender
        self._sends = [sender.to(*sockets.scoped(self.address, where))]
        self.stream.retarget()
        _LOG.info("%s: sends to %s", self.stream.name, tcp.text(where))
