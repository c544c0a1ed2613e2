"""What all transports of one sender share: its clients, its answers, its counts."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from grid.c37118 import Command, CommandFrame, Configuration, Configuration3, FrameError

_LOG = logging.getLogger(__name__)

MOST_CLIENTS = 256
_MOST_WARNINGS = 1000
"""Peers times kinds of warning that are remembered; further ones are counted, not said."""

_LONGEST_DATAGRAM = 65_507
"""Of UDP over IPv4; a longer CFG-3 is split, so that it arrives by every transport."""

Answer = Callable[[int], bytes | tuple[bytes, ...] | None]
"""Given a command, returns the frame or frames to send back, or None where there is none."""
Send = Callable[[bytes], object]
"""Takes a data frame on its way to one receiver; it never waits and never raises."""


@dataclass(kw_only=True, slots=True)
class SenderCounts:
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
    bad_crcs: int = 0
    """Frames with a wrong CRC."""
    skipped_bytes: int = 0
    """Bytes that belonged to no valid frame."""
    bad_frames: int = 0
    """Valid frames that are no command."""
    wrong_idcodes: int = 0
    """Commands for another IDCODE."""
    unanswered: int = 0
    """Commands to which this sender has no answer."""


class Peer:
    """One client: what it asked for. Each transport has its own kind."""

    def __init__(self, stream: "SenderState", host: str, address: str) -> None:
        self.stream = stream
        self.host = host
        """Its IP address."""
        self.address = address
        """HOST:PORT, for messages."""
        self.on = False
        """Whether the client turned data on."""
        self.used = False
        """Whether it ever sent a command; a probe does not."""

    def reply(self, frames: tuple[bytes, ...]) -> None:
        """Send the answer to a command."""
        raise NotImplementedError

    def switch(self, on: bool) -> None:
        """Turn data on or off."""
        raise NotImplementedError

    def abort(self) -> None:
        """End the connection without waiting for the client."""
        raise NotImplementedError

    def warn(self, kind: str, message: str) -> None:
        """Say something about this client once."""
        self.stream.warn(self.host, kind, f"client {self.address} {message}")

    def take(self, frame: bytes) -> None:
        """Obey one frame, which has a valid CRC."""
        stream = self.stream
        try:
            command = CommandFrame.decode(frame)
        except FrameError as error:
            stream.counts.bad_frames += 1
            self.warn("frame", f"sent a frame that is no command, it is ignored: {error}")
            return
        if command.idcode != stream.idcode:
            stream.counts.wrong_idcodes += 1
            self.warn(
                "idcode",
                f"ignored a command for IDCODE {command.idcode}, this stream "
                f"is {stream.idcode}: set the client's device id",
            )
            return
        if not self.used:
            self.used = True
            stream.joined(self)
        if command.command in (Command.DATA_ON, Command.DATA_OFF):
            self.switch(command.command == Command.DATA_ON)
            return
        answer = stream.answer_to(command.command)
        if answer is None:
            stream.counts.unanswered += 1
            self.warn(
                f"command {command.command}", f"sent command {command.command}, it has no answer"
            )
        else:
            self.reply(answer)

    def skipped(self, bytes_: int, bad_crcs: int) -> None:
        """Count what was received and is no frame."""
        self.stream.counts.skipped_bytes += bytes_
        self.stream.counts.bad_crcs += bad_crcs
        if bytes_:
            self.warn("garbage", "sent bytes that are no C37.118 frame; they are skipped")


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
        self.outlets: list[SenderTransport] = []
        """The transports."""
        self.targets: tuple[Send, ...] = ()
        """All receivers of all transports, for publishing: one call for each."""
        self._limit = limit
        self._full = False
        self._said: set[tuple[str, str]] = set()

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
        """Return the frames that answer a command; None where there is no answer.

        A sender without a CFG-3 of its own sends what its CFG-2 says in that form.
        """
        answer = self.answer(command)
        if answer is None and command == Command.SEND_CFG3:
            basis = self.answer(Command.SEND_CFG2)
            if isinstance(basis, bytes):
                details = Configuration3.of(Configuration.decode(basis))
                answer = details.encode(limit=_LONGEST_DATAGRAM)
        return (answer,) if isinstance(answer, bytes) else answer

    def retarget(self) -> None:
        """Take note that a transport has other receivers than before."""
        self.targets = tuple(send for outlet in self.outlets for send in outlet.targets())

    def warn(self, host: str, kind: str, message: str) -> None:
        """Say something about a host once."""
        if (host, kind) not in self._said and len(self._said) < _MOST_WARNINGS:
            self._said.add((host, kind))
            _LOG.warning("%s: %s", self.name, message)
