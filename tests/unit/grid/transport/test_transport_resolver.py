import asyncio
import socket
import threading
import time

import pytest
import stream_fixtures as streams

from grid.transport.resolver import Resolver

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 4712))]


@pytest.fixture
def names(monkeypatch):
    """Take the place of the name server: answers, fails or stays silent."""

    class Names:
        def __init__(self):
            self.answer = FOUND
            self.silence = threading.Event()
            self.silence.set()
            self.asked = 0

        def getaddrinfo(self, *_arguments, **_options):
            self.asked += 1
            self.silence.wait(30)
            if isinstance(self.answer, OSError):
                raise self.answer
            return self.answer

    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    yield names
    names.silence.set()


async def test_a_name_is_looked_up_each_time(names):
    resolver = Resolver("pmu-1", 4712)
    assert await resolver.resolve() == (socket.AF_INET, ("10.0.0.7", 4712))
    names.answer = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::7", 4712, 0, 0))]
    assert await resolver.resolve() == (socket.AF_INET6, ("::7", 4712, 0, 0))


async def test_an_unknown_name_is_an_error_until_it_is_known(names):
    resolver = Resolver("pmu-1", 4712)
    names.answer = socket.gaierror("Name or service not known")
    with pytest.raises(OSError, match="not known"):
        await resolver.resolve()
    names.answer = FOUND
    assert (await resolver.resolve())[1] == ("10.0.0.7", 4712)


async def test_the_last_known_address_serves_when_the_name_server_fails_or_is_silent(names):
    resolver = Resolver("pmu-1", 4712)
    await resolver.resolve()
    names.answer = socket.gaierror("Temporary failure")
    assert (await resolver.resolve())[1] == ("10.0.0.7", 4712)
    names.silence.clear()
    for _ in range(3):
        start = time.monotonic()
        assert (await resolver.resolve())[1] == ("10.0.0.7", 4712)
        assert time.monotonic() - start < streams.stretched(2)
    assert names.asked == 3, "one lookup is under way at a time"


def test_the_end_waits_for_no_name_server(names):
    names.silence.clear()

    async def ask():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Resolver("pmu-1", 4712).resolve(), 0.1)

    start = time.monotonic()
    asyncio.run(ask())
    assert time.monotonic() - start < streams.stretched(5)
