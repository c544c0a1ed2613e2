"""Spontaneous data: sent to one address or group without commands."""

import asyncio
import logging
import socket
from collections.abc import Iterable
from typing import Any

from grid.c37118 import Command
from grid.transport import sockets
from grid.transport.address import Address
from grid.transport.datagrams import DatagramSender
from grid.transport.resolver import Resolver
from grid.transport.sender_state import Send, SenderState
from service import run
from service.backoff import Backoff
from service.socket_address import host_port

_LOG = logging.getLogger(__name__)

_ANNOUNCE_S = 60.0
"""Between two CFG-2; openPDC expects about one a minute."""
_FIRST_PAUSE_S, _LAST_PAUSE_S = 1.0, 10.0


class SpontaneousSender:
    """Sends data, and a CFG-2 each minute, to one address or group; takes no commands."""

    def __init__(self, state: SenderState, address: Address) -> None:
        self.state = state
        self.address = address
        self._resolver = Resolver(address.host, address.port, kind=socket.SOCK_DGRAM)
        self._sender: DatagramSender | None = None
        self._sends: list[Send] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """No port is listening."""
        return 0

    async def bind(self) -> None:
        """Do nothing: there is no port to bind."""

    async def start(self) -> str:
        """Start to send; return the address, for the log."""
        self._task = asyncio.ensure_future(self._announce())
        self._task.add_done_callback(run.reraise)
        return f"unasked to {self.address}"

    def targets(self) -> Iterable[Send]:
        """Return the one destination, once its name is resolved."""
        return self._sends

    def close(self) -> None:
        """Stop sending."""
        if self._task is not None:
            self._task.cancel()
        self._sends = []
        self.state.retarget()
        if self._sender is not None:
            self._sender.close()

    async def _announce(self) -> None:
        pauses, known = Backoff(_FIRST_PAUSE_S, _LAST_PAUSE_S), None
        while True:
            try:
                # Each time, because a name may stand for another address by now.
                family, where = await self._resolver.resolve()
                if (family, where) != known:
                    self._aim(family, where)
                    known = family, where
            except OSError as error:
                self.state.warn(
                    self.address.host,
                    "destination",
                    f"cannot send to {self.address}: {error.strerror or error}; trying on",
                )
                await asyncio.sleep(pauses.pause_s())
                continue
            for frame in self.state.answer_to(Command.SEND_CFG2) or ():
                for send in self._sends:
                    send(frame)
            await asyncio.sleep(_ANNOUNCE_S)

    def _aim(self, family: socket.AddressFamily, where: tuple[Any, ...]) -> None:
        sender = DatagramSender(self.state, sockets.sending(family, self.address))
        if self._sender is not None:
            self._sender.close()
        self._sender = sender
        self._sends = [sender.to(*sockets.scoped(self.address, where))]
        self.state.retarget()
        _LOG.info("%s: sends to %s", self.state.name, host_port(where))
