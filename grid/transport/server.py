"""The C37.118 sender: answers commands, and sends data to the clients that turned them on."""

from collections.abc import Collection

from grid.c37118 import Answer, Command
from grid.transport.address import Address, Transport
from grid.transport.sender_state import MOST_CLIENTS, Peer, SenderCounts, SenderState
from grid.transport.spontaneous import SpontaneousSender
from grid.transport.tcp import TcpListener
from grid.transport.udp import UdpListener

_TRANSPORTS: dict[Transport, type[TcpListener | UdpListener | SpontaneousSender]] = {
    Transport.TCP: TcpListener,
    Transport.TCP_UDP: TcpListener,
    Transport.UDP: UdpListener,
    Transport.SPONTANEOUS: SpontaneousSender,
}


BUFFER = 64 * 1024
"""More than a second of a stream of some PMUs."""


class StreamServer:
    """Serves one stream to any number of clients, at most `limit`, by one or more transports.

    A TCP client that does not read its data is dropped when `buffer` bytes wait for it in
    addition to the kernel's 64 KiB, so that no other client waits for it. Connections
    without a command are no error (probes of an orchestrator do that). A UDP client is
    dropped when the network reports its port as unreachable.
    """

    def __init__(
        self,
        *,
        idcode: int,
        answer: Answer,
        name: str,
        limit: int = MOST_CLIENTS,
        buffer: int = BUFFER,
    ) -> None:
        self._state = SenderState(
            idcode=idcode, answer=answer, name=name, limit=limit, buffer=buffer
        )

    @property
    def name(self) -> str:
        """The name of the stream in log messages."""
        return self._state.name

    @property
    def idcode(self) -> int:
        """The id that commands must carry."""
        return self._state.idcode

    @property
    def counts(self) -> SenderCounts:
        """What happened so far, over all transports."""
        return self._state.counts

    @property
    def clients(self) -> Collection[Peer]:
        """Open connections, and UDP clients that turned data on."""
        return self._state.clients.keys()

    @property
    def receivers(self) -> int:
        """The number of destinations of a data frame."""
        return len(self._state.targets)

    async def bind(self, listen: str | None, port: int) -> None:
        """Bind TCP `port` of the address `listen` (None: all); connections are still refused.

        OSError where the address is not available.
        """
        await self.attach(Address(host=listen or "", port=port))

    async def attach(self, address: Address) -> None:
        """Add a transport, which starts with accept(); several serve side by side.

        OSError where the address is not available.
        """
        transport = _TRANSPORTS[address.transport](self._state, address)
        await transport.bind()
        self._state.transports.append(transport)

    async def accept(self) -> str:
        """Accept and send from now on; return the addresses, for the log."""
        return ", ".join([await transport.start() for transport in self._state.transports])

    @property
    def port(self) -> int:
        """The listening port of the first transport; 0 before bind()."""
        return self._state.transports[0].port if self._state.transports else 0

    def publish(self, frame: bytes) -> None:
        """Send one data frame to the clients that turned data on."""
        state = self._state
        for send in state.targets:
            send(frame)
        state.counts.frames += 1
        state.counts.sent += len(state.targets)

    def announce(self) -> None:
        """Send CFG-2 to all receivers of data, before the first frame of a new configuration."""
        for frame in self._state.answer_to(Command.SEND_CFG2) or ():
            for send in self._state.targets:
                send(frame)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        for transport in self._state.transports:
            transport.close()
        for client in tuple(self._state.clients):
            client.abort()
