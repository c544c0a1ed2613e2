"""Name resolution that survives a name server that is away."""

import asyncio
import socket
import threading
from typing import Any

SocketAddress = tuple[socket.AddressFamily, Any]
"""SocketAddress family and socket address."""

_PATIENCE_S = 0.4


class Resolver:
    """Resolves one host, and falls back to its last known address.

    A lookup blocks a thread for as long as the name server stays silent, so there is
    never more than one under way; while it is, the last known address is used. The
    thread is a daemon: the end of the process waits for no name server.
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
            self._pending = self._look_up()
        # A known address is worth more than a long wait for a perhaps newer one.
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

    def _look_up(self) -> asyncio.Future[SocketAddress]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[SocketAddress] = loop.create_future()

        def deliver(found: SocketAddress | OSError) -> None:
            if future.done():
                return
            if isinstance(found, OSError):
                future.set_exception(found)
            else:
                future.set_result(found)

        def work() -> None:
            found: SocketAddress | OSError
            try:
                first = socket.getaddrinfo(self._host, self._port, type=self._kind)[0]
                found = first[0], first[4]
            except OSError as error:
                found = error
            except UnicodeError as error:  # A label of the name is empty or too long.
                found = OSError(str(error))
            if not loop.is_closed():
                loop.call_soon_threadsafe(deliver, found)

        threading.Thread(target=work, name=f"look up {self._host}", daemon=True).start()
        return future
