"""The blocking client against senders in a thread of their own."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import stream_fixtures as streams

from grid import c37118
from grid.transport import client
from tests.ports import free_port


class Background:
    """An event loop in a thread, for senders."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._senders: list[streams.Sender] = []

    def open(self, sender: streams.Sender, port: int = 0) -> int:
        self._senders.append(sender)
        return asyncio.run_coroutine_threadsafe(sender.open(port), self.loop).result(10)

    def close(self, sender: streams.Sender) -> None:
        asyncio.run_coroutine_threadsafe(sender.server.close(), self.loop).result(10)

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        self.loop.call_soon_threadsafe(function, *arguments)

    def end(self) -> None:
        for sender in self._senders:
            self.close(sender)
        # One more turn of the loop, in which the transports close their sockets.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.end()


@pytest.fixture
def sender() -> streams.Sender:
    return streams.Sender(7, [streams.station(7)])


def test_events_come_in_order_and_carry_the_time_of_arrival(background, sender):
    port = background.open(sender)
    before = time.monotonic_ns()
    events = client.receive(streams.HOST, port, idcode=7)
    connected, configured = next(events), next(events)
    assert isinstance(connected, client.Connected)
    assert connected.address == f"{streams.HOST}:{port}"
    assert isinstance(configured, client.Configured)
    assert configured.configuration == sender.configuration
    streams.eventually(lambda: sender.receivers)
    background.call(sender.send, 101, 5.0)
    frame = next(events)
    assert isinstance(frame, client.Frame)
    assert (frame.data.stamp.soc, frame.fraction) == (2, pytest.approx(0.02))
    assert frame.data.pmus[0].phasors[0] == (5.0, 0.0)
    assert before < connected.t_ns <= configured.t_ns < frame.t_ns < time.monotonic_ns()
    events.close()


def test_fractions_honour_the_time_base(background):
    sender = streams.Sender(7, [streams.station(7)], time_base=0xFFFFFF)
    port = background.open(sender)
    events = client.receive(streams.HOST, port, idcode=7)
    next(events), next(events)
    streams.eventually(lambda: sender.receivers)
    background.call(sender.send, 149)
    frame = next(events)
    assert isinstance(frame, client.Frame)
    assert frame.data.stamp.count > 1 << 23
    assert frame.fraction == pytest.approx(0.98, abs=1e-7)
    events.close()


def last(events: Iterator[client.StreamEvent]) -> client.Disconnected:
    *_, event = events
    assert isinstance(event, client.Disconnected)
    return event


def test_a_refused_connection_is_an_event():
    port = free_port()
    event = last(client.receive(streams.HOST, port, idcode=7))
    assert not event.was_connected
    assert event.why == "cannot connect: Connection refused"


def test_a_host_that_does_not_answer_is_given_up_in_time():
    with socket.socket() as full:
        # A full backlog drops further connections, as an isolated node does.
        full.bind((streams.HOST, 0))
        full.listen(0)
        port = full.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for sock in filling:
            sock.setblocking(False)
            sock.connect_ex((streams.HOST, port))
        start = time.monotonic()
        event = last(client.receive(streams.HOST, port, idcode=7, connect_timeout_s=0.5))
        assert 0.4 < time.monotonic() - start < streams.stretched(3)
        assert not event.was_connected
        assert "timed out" in event.why
        for sock in filling:
            sock.close()


def test_a_silent_peer_counts_as_dead(background, sender):
    port = background.open(sender)
    start = time.monotonic()
    event = last(client.receive(streams.HOST, port, idcode=7, silence_s=0.4))
    assert 0.35 < time.monotonic() - start < streams.stretched(3)
    assert event.was_connected
    assert event.why == "no data frame for 0.4 s: the peer counts as dead"
    sender.mute = True
    event = last(client.receive(streams.HOST, port, idcode=7, silence_s=0.4))
    assert event.why == "no configuration for 0.4 s: the peer counts as dead"


def test_a_peer_that_leaves_is_an_event(background, sender):
    port = background.open(sender)
    events = client.receive(streams.HOST, port, idcode=7)
    next(events), next(events)
    background.close(sender)
    event = last(events)
    assert event.was_connected
    assert event.why in ("closed by the peer", "Connection reset by peer")


def test_stop_ends_it_soon(background, sender):
    port = background.open(sender)
    stop = threading.Event()
    events = client.receive(streams.HOST, port, idcode=7, silence_s=30, stop=stop)
    next(events), next(events)
    threading.Timer(0.2, stop.set).start()
    start = time.monotonic()
    assert last(events).why == "stopped by this side"
    assert time.monotonic() - start < streams.stretched(2)


def test_watch_connects_again_until_it_is_stopped(background, sender):
    port = background.open(sender)
    stop = threading.Event()
    events = client.watch(streams.HOST, port, idcode=7, silence_s=5, stop=stop)
    next(events), next(events)
    streams.eventually(lambda: sender.receivers)
    background.call(sender.send, 1)
    assert isinstance(next(events), client.Frame)
    background.close(sender)
    again = streams.Sender(7, [streams.station(7)])
    refused = 0
    for event in events:
        if isinstance(event, client.Disconnected):
            refused += not event.was_connected
            if refused == 2:
                background.open(again, port)
        if isinstance(event, client.Configured):
            break
    assert refused >= 2
    stop.set()
    assert isinstance(last(events), client.Disconnected)


def test_a_wrong_idcode_ends_in_silence(background, sender, caplog):
    port = background.open(sender)
    event = last(client.receive(streams.HOST, port, idcode=8, silence_s=0.4))
    assert event.why.startswith("no configuration")
    assert "ignored a command for IDCODE 8, this stream is 7" in caplog.text


def test_status_bits_arrive(background, sender):
    port = background.open(sender)
    events = client.receive(streams.HOST, port, idcode=7)
    next(events), next(events)
    streams.eventually(lambda: sender.receivers)
    background.call(sender.send, 1, 1.0, c37118.ABSENT)
    frame = next(events)
    assert isinstance(frame, client.Frame)
    assert frame.data.pmus[0].stat.data_error is c37118.DataError.ABSENT
    events.close()
