"""The state that all transports of a sender share: clients, answers, counts."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from grid.c37118 import (
    Answer,
    BadRequest,
    CommandCounts,
    DataSwitch,
    Reply,
    SenderEvent,
    SenderSession,
    SessionOpened,
    answer_frames,
)
from service.once import Once

_LOG = logging.getLogger(__name__)

MOST_CLIENTS = 256
Send = Callable[[bytes], object]
"""Sends a data frame to one receiver; it never waits and never raises."""


@dataclass(kw_only=True, slots=True)
class SenderCounts(CommandCounts):
    """What happened so far, over all transports of a sender."""

    frames: int = 0
    """Published data frames, each counted once."""
    sent: int = 0
    """Sent data frames, each counted once for each receiver."""
    clients: int = 0
    """Clients that sent a command."""
    refused: int = 0
    """Clients beyond the limit: each took the place of a connection without a command, or was
    refused."""
    slow: int = 0
    """TCP clients dropped because they did not read their data."""
    unsent: int = 0
    """Datagrams that the kernel did not take."""
    unreachable: int = 0
    """UDP clients dropped because the network reported their port as unreachable."""


class Peer:
    """One client of a sender: its session, and whether it gets data. Each transport has its own."""

    def __init__(self, state: "SenderState", host: str, address: str) -> None:
        self.state = state
        self.host = host
        """Its IP address."""
        self.address = address
        """HOST:PORT, for messages."""
        self.on = False
        """Whether the client turned data on."""
        self.used = False
        """Whether it ever sent a command; a probe does not."""
        self.session = SenderSession(state.idcode, state.answer, counts=state.counts)
        """What it asked for."""

    def reply(self, frames: tuple[bytes, ...]) -> None:
        """Send the answer to a command."""
        raise NotImplementedError

    def switch(self, on: bool) -> None:
        """Turn data on or off."""
        raise NotImplementedError

    def abort(self) -> None:
        """End the connection without waiting for the client."""
        raise NotImplementedError

    def opened(self) -> None:
        """Note that the client sent its first command."""
        self.used = True
        self.state.joined(self)

    def warn(self, kind: str, message: str) -> None:
        """Log something about this client's host, each kind once."""
        self.state.warn(self.host, kind, f"client {self.address} {message}")

    def obey(self, events: Iterable[SenderEvent]) -> None:
        """Do what the client asks for."""
        for event in events:
            match event:
                case Reply(frames=frames):
                    self.reply(frames)
                case DataSwitch(on=on):
                    self.switch(on)
                case BadRequest(kind=kind, what=what):
                    self.warn(kind, what)
                case SessionOpened():
                    self.opened()


class SenderTransport(Protocol):
    """One transport of a sender."""

    @property
    def port(self) -> int:
        """The listening port; 0 where there is none."""

    async def bind(self) -> None:
        """Bind the port; nothing is answered yet. OSError where it is not available."""

    async def start(self) -> str:
        """Start to answer and send; return the addresses, for the log."""

    def targets(self) -> Iterable[Send]:
        """Return one function for each receiver of data."""

    def close(self) -> None:
        """Stop listening, and end all connections."""


class SenderState:
    """Admits clients up to a limit, and knows who receives data."""

    def __init__(self, *, idcode: int, answer: Answer, name: str, limit: int, buffer: int) -> None:
        self.buffer = buffer
        """Bytes that may wait for a TCP client, in addition to the kernel's buffer."""
        self.idcode = idcode
        """The id that commands must carry."""
        self.name = name
        """The name of the stream in log messages."""
        self.answer = answer
        self.counts = SenderCounts()
        self.clients: dict[Peer, None] = {}
        """Open connections and UDP clients, the oldest first."""
        self.transports: list[SenderTransport] = []
        """The transports."""
        self.targets: tuple[Send, ...] = ()
        """One function for each receiver of data, of all transports."""
        self._limit = limit
        self._full = False
        self._warned = Once()

    def admit(self, peer: Peer) -> bool:
        """Admit a new client; return False where the limit is reached.

        The oldest connection that never sent a command is dropped for it.
        """
        if len(self.clients) >= self._limit:
            idle = next((client for client in self.clients if not client.used), None)
            if not self._full:
                self._full = True
                _LOG.warning(
                    "%s: the limit of %d clients is reached with %s; from now on the oldest "
                    "connection without a command gives way, and where all sent commands the "
                    "new one is refused",
                    self.name,
                    self._limit,
                    peer.address,
                )
            self.counts.refused += 1
            if idle is None:
                return False
            self.dismiss(idle)
            idle.abort()
        self.clients[peer] = None
        return True

    def dismiss(self, peer: Peer) -> None:
        """Forget a client."""
        self.clients.pop(peer, None)
        if len(self.clients) < self._limit // 2:
            self._full = False

    def joined(self, peer: Peer) -> None:
        """Count and log a client that sent its first command."""
        self.counts.clients += 1
        _LOG.info("%s: client %s connected", self.name, peer.address)

    def left(self, peer: Peer, why: str) -> None:
        """Log that a client is gone."""
        _LOG.info("%s: client %s left%s", self.name, peer.address, f" ({why})" if why else "")

    def answer_to(self, command: int) -> tuple[bytes, ...] | None:
        """Return the frames that answer a command; None where there is no answer."""
        return answer_frames(self.answer, command)

    def retarget(self) -> None:
        """Update the receivers of data after a change in a transport."""
        self.targets = tuple(send for transport in self.transports for send in transport.targets())

    def warn(self, host: str, kind: str, message: str) -> None:
        """Log a message about a host, each kind once."""
        if self._warned.first((host, kind)):
            _LOG.warning("%s: %s", self.name, message)
