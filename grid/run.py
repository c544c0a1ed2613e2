"""Running a service until it is told to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol


class Service(Protocol):
    """Something that runs until it is closed."""

    async def close(self) -> None:
        """Stop, and end all connections."""


async def until_stopped(start: Callable[[], Awaitable[Service]]) -> None:
    """Start a service and close it on SIGTERM or SIGINT, within a second."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopped = asyncio.ensure_future(stop.wait())
    starting = asyncio.ensure_future(start())
    await asyncio.wait({stopped, starting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return
    service = starting.result()
    await stopped
    await service.close()
