import asyncio
import threading

import pytest

from service import threads


def test_a_call_gives_its_result_and_its_thread_is_a_daemon():
    async def called() -> tuple[str, bool]:
        return await threads.call(
            lambda: (threading.current_thread().name, threading.current_thread().daemon), "reader"
        )

    assert asyncio.run(called()) == ("reader", True)


def test_an_error_in_the_thread_is_raised_where_the_result_is_awaited():
    async def called() -> int:
        return await threads.call(lambda: 1 // 0, "reader")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(called())


def test_a_result_that_nobody_waits_for_any_more_is_dropped():
    go = threading.Event()

    async def called() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await threads.call(lambda: go.wait(10), "reader")
        go.set()
        await asyncio.sleep(0.05)

    asyncio.run(called())


def test_a_thread_may_end_after_the_loop():
    go = threading.Event()
    started: list[threading.Thread] = []

    def work() -> None:
        started.append(threading.current_thread())
        go.wait(10)

    async def called() -> None:
        threads.call(work, "reader")
        while not started:
            await asyncio.sleep(0.01)

    asyncio.run(called())
    go.set()
    started[0].join(10)
    assert not started[0].is_alive()
