"""Running a service until SIGTERM or SIGINT."""

import asyncio
import contextlib
import errno
import logging
import resource
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

_LOG = logging.getLogger(__name__)

_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)


class Service(Protocol):
    """Something that runs until it is closed."""

    async def close(self) -> None:
        """Stop, and end all connections."""


async def until_stopped(start: Callable[[], Awaitable[Service]]) -> int:
    """Start a service, close it on SIGTERM or SIGINT, and return the exit code.

    An unexpected error ends the service with code 1, because a restart is better than half
    a service. An error of one connection ends only that connection, and too many open files
    keep new connections out for a second.
    """
    stop = asyncio.Event()
    code = 0
    crowded = False

    def unexpected(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal code, crowded
        error = context.get("exception")
        if "socket" in context and getattr(error, "errno", None) in _OUT_OF_FILES:
            if not crowded:
                _LOG.error("new connections wait: %s; raise the limit (ulimit -n)", error)
            crowded = True
            return
        _LOG.error("unexpected error: %s", context["message"], exc_info=context.get("exception"))
        if "transport" not in context:
            code = 1
            stop.set()

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(unexpected)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopped = asyncio.ensure_future(stop.wait())
    starting = asyncio.ensure_future(start())
    await asyncio.wait({stopped, starting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return code
    service = starting.result()
    await stopped
    await service.close()
    return code


def allow_open_files() -> None:
    """Raise the soft limit of open files to the hard one: every address and client is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS refuses "unlimited".
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def reraise(task: "asyncio.Task[None]") -> None:
    """Hand a finished task's error to the loop, as the task's done callback."""
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
