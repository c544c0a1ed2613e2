"""Name resolution that survives a name server that is away."""

import asyncio
import socket
from typing import Any

Address = tuple[socket.AddressFamily, Any]
"""Address family and socket address."""

_PATIENCE_S = 0.4


class Resolver:
    """Resolves one host, and falls back to its last known address.

    A lookup blocks a thread for as long as the name server stays silent, so there is
    never more than one under way; while it is, the last known address is used.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._known: Address | None = None
        self._pending: asyncio.Future[list[Any]] | None = None

    async def resolve(self) -> Address:
        """Return an address; OSError if there never was one."""
        if self._pending is None:
            loop = asyncio.get_running_loop()
            lookup = loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._pending = asyncio.ensure_future(lookup)
        # A known address is worth more than a long wait for a perhaps newer one.
        patience_s = _PATIENCE_S if self._known else None
        done, _ = await asyncio.wait({self._pending}, timeout=patience_s)
        if done:
            try:
                found = self._pending.result()
                self._known = found[0][0], found[0][4]
            except OSError:
                if self._known is None:
                    raise
            finally:
                self._pending = None
        assert self._known is not None  # noqa: S101 - else the wait had no end
        return self._known
