"""What all transports of one sender share: its clients, its answers, its counts."""

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
"""Takes a data frame on its way to one receiver; it never waits and never raises."""


@dataclass(kw_only=True, slots=True)
class SenderCounts(CommandCounts):
    """What happened so far at all transports of a sender."""

    frames: int = 0
    """Data frames that were published, however many receivers each had."""
    sent: int = 0
    """Data frames times their receivers."""
    clients: int = 0
    """Clients that ever asked for something."""
    refused: int = 0
    """Clients that came when the limit was reached: each took the place of a connection that
    never asked for anything, or was turned away."""
    slow: int = 0
    """Clients dropped because they didn't read what they asked for."""
    unsent: int = 0
    """Datagrams that the kernel did not take."""
    unreachable: int = 0
    """UDP clients dropped because the network said that nobody is there any more."""


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
        """The port that is listened on; 0 where there is none."""

    async def bind(self) -> None:
        """Take the port; nothing is answered yet. OSError where it is not to be had."""

    async def start(self) -> str:
        """Begin to answer and send; return the addresses, for the log."""

    def targets(self) -> Iterable[Send]:
        """Return one function for each receiver of data."""

    def close(self) -> None:
        """End all connections, and listen no more."""


class SenderState:
    """The state of a sender that its transports share."""

    def __init__(self, *, idcode: int, answer: Answer, name: str, limit: int, buffer: int) -> None:
        self.buffer = buffer
        """Bytes that may wait for a TCP client, on top of the kernel's buffer."""
        self.idcode = idcode
        """The id that commands must carry."""
        self.name = name
        """How log messages call this stream."""
        self.answer = answer
        self.counts = SenderCounts()
        self.clients: dict[Peer, None] = {}
        """Open connections and UDP clients, the oldest first."""
        self.transports: list[SenderTransport] = []
        """The transports."""
        self.targets: tuple[Send, ...] = ()
        """All receivers of all transports, for publishing: one call for each."""
        self._limit = limit
        self._full = False
        self._warned = Once()

    def admit(self, peer: Peer) -> bool:
        """Take a new client, unless the limit is reached.

        Where it is, the oldest connection that never sent a command gives way.
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
        """Count a client that asks for something."""
        self.counts.clients += 1
        _LOG.info("%s: client %s connected", self.name, peer.address)

    def left(self, peer: Peer, why: str) -> None:
        """Say that a client is gone."""
        _LOG.info("%s: client %s left%s", self.name, peer.address, f" ({why})" if why else "")

    def answer_to(self, command: int) -> tuple[bytes, ...] | None:
        """Return the frames that answer a command; None where there is no answer."""
        return answer_frames(self.answer, command)

    def retarget(self) -> None:
        """Take note that a transport has other receivers than before."""
        self.targets = tuple(send for transport in self.transports for send in transport.targets())

    def warn(self, host: str, kind: str, message: str) -> None:
        """Say something about a host once."""
        if self._warned.first((host, kind)):
            _LOG.warning("%s: %s", self.name, message)
