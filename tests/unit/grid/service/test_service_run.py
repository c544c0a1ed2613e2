import asyncio
import logging
import os
import resource
import signal
import socket
import time

import pytest
import stream_fixtures as streams

from grid.documents.channels import Phasor
from grid.pdc.concentrator import Concentrator
from grid.pdc.topology.model import InputStream, OutputStream, Pmu, Topology
from grid.transport.address import Address
from service import run


class Service:
    def __init__(self):
        self.closed = False

    async def close(self):
        self.closed = True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_service(number):
    service = Service()

    async def start():
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
        return service

    assert asyncio.run(run.until_stopped(start)) == 0
    assert service.closed


def test_a_signal_during_the_start_ends_it():
    async def start():
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    begin = time.monotonic()
    assert asyncio.run(run.until_stopped(start)) == 0
    assert time.monotonic() - begin < streams.stretched(5)


def test_an_unexpected_error_ends_the_service_with_code_1(caplog):
    service = Service()

    async def start():
        asyncio.get_running_loop().call_later(0.05, lambda: 1 // 0)
        return service

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(run.until_stopped(start)) == 1
    assert service.closed
    assert "ZeroDivisionError" in caplog.text


def test_an_unexpected_error_of_one_connection_ends_only_that(caplog):
    class Faulty(asyncio.Protocol):
        def data_received(self, data):
            raise ZeroDivisionError

    async def start():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Faulty, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"x")
        assert await reader.read() == b"", "this connection is ended"
        writer.close()
        loop.call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
        server.close()
        return Service()

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(run.until_stopped(start)) == 0
    assert "ZeroDivisionError" in caplog.text


def test_more_connections_than_open_files_end_nothing(caplog):
    """The server accepts again once there is room; nobody is told to restart it."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    answered = []

    async def start():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        crowd = [socket.socket() for _ in range(20)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (crowd[-1].fileno() + 3, limits[1]))
        for sock in crowd:
            sock.setblocking(False)
            sock.connect_ex(address)
        while "too many" not in caplog.text.lower():
            await asyncio.sleep(0.01)
        answered.append(True)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for sock in crowd:
            sock.close()
        server.close()
        loop.call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        return Service()

    try:
        with caplog.at_level(logging.ERROR):
            assert asyncio.run(run.until_stopped(start)) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert answered
    assert caplog.text.count("raise the limit") == 1


def test_a_pdc_whose_input_breaks_for_an_unknown_reason_ends(monkeypatch, caplog):
    async def broken(_self):
        raise ZeroDivisionError

    monkeypatch.setattr("grid.transport.receiver.Receiver.run", broken)
    phasor = Phasor(label="VA", type="V", phase="A")
    pmu = Pmu(name="p", idcode=1, phasors=(phasor,))
    address = Address(host="127.0.0.1", port=1)
    source = InputStream(name="p", address=address, idcode=1, pmus=(pmu,), concentrator=False)
    topology = Topology(node="n", stream=OutputStream(name="pdc", idcode=10), inputs=(source,))

    async def start():
        pdc = Concentrator(topology)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        await pdc.start("127.0.0.1", port)
        return pdc

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(run.until_stopped(start)) == 1
    assert "ZeroDivisionError" in caplog.text
