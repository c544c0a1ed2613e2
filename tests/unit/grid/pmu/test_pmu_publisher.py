"""Frames that are written before their time."""

import pytest

from grid.pmu.stream_publisher import StreamPublisher
from grid.timing.slots import Slots
from service.latency import Latencies


class Counting:
    """A stream whose frames are the slots themselves."""

    name, idcode, slots, data_rate = "counting", 7, Slots(50), 50

    def __init__(self):
        self.written = []
        self.silent = set()
        self.editions = {}

    def frame(self, slot):
        self.written.append(slot)
        return b"" if slot in self.silent else b"%d" % slot

    def edition(self, slot):
        return max((number for at, number in self.editions.items() if at <= slot), default=0)

    def answer(self, command):
        return None


class Server:
    """Keeps what is published."""

    def __init__(self):
        self.receivers = 1
        self.published = []
        self.announced = 0

    def publish(self, frame):
        self.published.append(frame)

    def announce(self):
        self.announced += 1


@pytest.fixture
def stream():
    return Counting()


@pytest.fixture
def publisher(stream):
    made = StreamPublisher(stream, (), Latencies())
    made.server = Server()
    return made


def test_a_frame_is_written_once_and_before_its_time(publisher, stream):
    for slot in (10, 11, 12):
        publisher.send(slot, 0)
        publisher.prepare(slot + 1)
    assert publisher.server.published == [b"10", b"11", b"12"]
    assert stream.written == [10, 11, 12, 13]


@pytest.mark.parametrize("later", [5, 4000])
def test_after_a_step_of_the_clock_the_frame_of_the_new_time_is_sent(publisher, later):
    publisher.send(10, 0)
    publisher.prepare(11)
    publisher.send(later, 0)
    assert publisher.server.published == [b"10", b"%d" % later]


def test_what_was_prepared_for_nobody_is_written_when_somebody_comes(publisher, stream):
    publisher.server.receivers = 0
    publisher.send(10, 0)
    publisher.prepare(11)
    assert stream.written == []
    publisher.server.receivers = 1
    publisher.send(11, 0)
    assert publisher.server.published == [b"11"]


def test_silence_is_not_published(publisher, stream):
    stream.silent = {11}
    for slot in (10, 11, 12):
        publisher.send(slot, 0)
    assert publisher.server.published == [b"10", b"12"]


def test_a_new_configuration_is_announced_when_it_takes_effect(publisher, stream):
    stream.editions = {12: 1}
    for slot, announced in ((10, 0), (11, 0), (12, 1), (13, 1)):
        publisher.send(slot, 0)
        assert publisher.server.announced == announced


def test_lateness_is_counted_from_the_stamp(stream):
    late = Latencies()
    publisher = StreamPublisher(stream, (), late)
    publisher.server = Server()
    publisher.send(10, 0)
    assert late.count == 1
    assert late.minimum_s > 1e9  # Since 1970.
