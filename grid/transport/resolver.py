"""Name resolution that falls back to the last known address while the name server is away."""

import asyncio
import socket
from typing import Any

from service import threads

SocketAddress = tuple[socket.AddressFamily, Any]
"""Address family, and the address as the socket module takes it."""

_PATIENCE_S = 0.4


class Resolver:
    """Resolves one host, and falls back to its last known address.

    A lookup blocks a thread for as long as the name server stays silent, so there is
    never more than one under way; while it is, the last known address is used.
    """

    def __init__(
        self, host: str, port: int, *, kind: socket.SocketKind = socket.SOCK_STREAM
    ) -> None:
        self._host = host
        self._port = port
        self._kind = kind
        self._known: SocketAddress | None = None
        self._pending: asyncio.Future[SocketAddress] | None = None

    async def resolve(self) -> SocketAddress:
        """Return an address; OSError if there never was one."""
        if self._pending is None:
            self._pending = threads.call(self._look_up, f"look up {self._host}")
        # A known address is better than a long wait for one that is probably the same.
        patience_s = _PATIENCE_S if self._known else None
        done, _ = await asyncio.wait({self._pending}, timeout=patience_s)
        if done:
            finished, self._pending = self._pending, None
            try:
                self._known = finished.result()
            except OSError:
                if self._known is None:
                    raise
        assert self._known is not None  # noqa: S101 - else the wait had no end
        return self._known

    def _look_up(self) -> SocketAddress:
        try:
            family, _, _, _, address = socket.getaddrinfo(self._host, self._port, type=self._kind)[
                0
            ]
        except UnicodeError as error:  # A label of the name is empty or too long.
            raise OSError(str(error)) from error
        return family, address
