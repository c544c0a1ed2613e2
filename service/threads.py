"""Blocking work in daemon threads, which the end of the process does not wait for."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Value = TypeVar("_Value")


def start(work: Callable[[], None], name: str) -> threading.Thread:
    """Run `work` in a daemon thread called `name`, and return the thread."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def submit(work: Callable[[], _Value], name: str) -> "Future[_Value]":
    """Run `work` in a daemon thread; return a future for its result.

    An executor of concurrent.futures is no alternative: the end of the process waits for
    its threads.
    """
    future: Future[_Value] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    start(run, name)
    return future


def call(work: Callable[[], _Value], name: str) -> "asyncio.Future[_Value]":
    """Run `work` in a daemon thread; return a future of the running loop for its result.

    asyncio's executor is no alternative: the end of the process waits for its threads.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Value] = loop.create_future()

    def deliver(value: _Value | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)  # type: ignore[arg-type] # None only where work() gives it

    def run() -> None:
        value, failure = None, None
        try:
            value = work()
        except Exception as error:
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, value, failure)

    start(run, name)
    return future
