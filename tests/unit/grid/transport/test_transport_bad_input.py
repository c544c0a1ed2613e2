"""What peers do wrong is counted, said once, and harms nobody else."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import stream_fixtures as streams
from test_transports import listening

from grid import c37118
from grid.c37118 import Command, Violation
from grid.transport.address import Address, Transport

STRANGE = c37118.HeaderFrame(idcode=7, stamp=streams.NOW, text="no command").encode()


def command(what: int, idcode: int = 7, extended: bytes = b"") -> bytes:
    return c37118.CommandFrame(
        idcode=idcode, stamp=streams.NOW, command=what, extended=extended
    ).encode()


def damaged(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


@asynccontextmanager
async def serving(transport: Transport = Transport.TCP) -> AsyncIterator[streams.Sender]:
    sender = streams.Sender(7, [streams.station(7)])
    await sender.server.attach(Address(transport=transport, host=streams.HOST, port=0))
    await sender.server.accept()
    try:
        yield sender
    finally:
        await sender.server.close()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def talking(sender: streams.Sender, transport: Transport) -> AsyncIterator[socket.socket]:
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.setblocking(False)
        where = (streams.HOST, sender.server.port)
        await asyncio.get_running_loop().sock_connect(sock, where)
        yield sock


BAD = [
    ("bad_crcs", damaged(command(Command.DATA_ON)), "no C37.118 frame"),
    ("wrong_idcodes", command(Command.DATA_ON, idcode=8), "IDCODE 8, this stream is 7"),
    ("bad_frames", STRANGE, "a frame that is no command"),
    ("unanswered", command(77), "command 77"),
    ("unanswered", command(Command.EXTENDED, extended=bytes(60_000)), "command 8"),
    ("skipped_bytes", b"noise that is no frame", "no C37.118 frame"),
    ("skipped_bytes", b"\xaa\x41\xff", "no C37.118 frame"),
]


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize(("counter", "bad", "message"), BAD)
async def test_a_sender_counts_what_a_client_does_wrong_and_says_it_once(
    counter, bad, message, transport, caplog
):
    async with serving(transport) as sender, talking(sender, transport) as sock:
        loop = asyncio.get_running_loop()
        for _ in range(5):
            await loop.sock_sendall(sock, bad)
            await loop.sock_sendall(sock, command(Command.SEND_CFG2))
            answer = await asyncio.wait_for(loop.sock_recv(sock, 65536), streams.stretched(10))
            assert c37118.Configuration.decode(answer) == sender.configuration
        assert getattr(sender.server.counts, counter) >= 5
    said = [one for one in caplog.records if one.levelname == "WARNING"]
    assert [message in one.getMessage() for one in said] == [True]
    assert streams.HOST in said[0].getMessage()


async def test_a_client_that_comes_again_and_again_is_warned_of_once(caplog):
    async with serving() as sender:
        for _ in range(5):
            async with talking(sender, Transport.TCP) as sock:
                await asyncio.get_running_loop().sock_sendall(sock, command(5, idcode=9))
        await streams.soon(lambda: sender.server.counts.wrong_idcodes == 5)
    assert caplog.text.count("IDCODE 9") == 1


async def test_a_thousand_connections_leave_the_others_served(caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4000:
        pytest.skip("this process may not open a thousand connections to itself")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4000, hard))
    loop = asyncio.get_running_loop()
    crowd = []
    try:
        async with serving() as sender:
            here = Address(host=streams.HOST, port=sender.server.port)
            async with listening(here) as (before,):
                await streams.soon(lambda: sender.server.receivers == 1)
                for _ in range(1000):
                    sock = socket.socket()
                    sock.setblocking(False)
                    crowd.append(sock)
                    await loop.sock_connect(sock, (streams.HOST, sender.server.port))
                await streams.soon(lambda: sender.server.counts.refused >= 1001 - 256)
                assert len(sender.server.clients) == 256
                # One that asks for something takes the place of one that doesn't.
                async with listening(here) as (after,):
                    await streams.soon(lambda: sender.server.receivers == 2)
                    sender.send(50)
                    await streams.soon(lambda: before.frames and after.frames)
                assert before.lost == 0
        assert caplog.text.count("the limit of 256 clients is reached") == 1
    finally:
        for sock in crowd:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_clients_that_all_want_data_are_served_up_to_the_limit():
    sender = streams.Sender(7, [streams.station(7)])
    sender.server._state._limit = 3
    port = await sender.open()
    here = Address(host=streams.HOST, port=port)
    async with listening(here, here, here) as three:
        await streams.soon(lambda: sender.server.receivers == 3)
        async with listening(here) as (fourth,):
            await streams.soon(lambda: sender.server.counts.refused)
            sender.send(50)
            await streams.soon(lambda: all(one.frames for one in three))
            assert not fourth.frames
    await sender.server.close()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
async def test_a_receiver_counts_what_a_sender_does_wrong_and_tells_it_once(transport):
    async with serving(transport) as sender:
        other = streams.Sender(9, [streams.station(9)])
        longer = streams.Sender(7, [streams.station(7), streams.station(8)])
        bad_rate = streams.replace(sender.configuration, data_rate=0).encode()
        here = Address(transport=transport, host=streams.HOST, port=sender.server.port)
        async with listening(here) as (listener,):
            await streams.soon(lambda: sender.server.receivers)
            for slot in range(50, 300, 50):
                good = sender.frame(slot)
                for frame in (
                    damaged(good), other.frame(slot), longer.frame(slot), bad_rate,
                    b"\xaa\x01\x00\x10 not a frame", good,
                ):  # fmt: skip
                    sender.server.publish(frame)
                await asyncio.sleep(0.01)
            await streams.soon(lambda: listener.seconds() == [1, 2, 3, 4, 5])
            counts = listener.receiver.counts
            assert (counts.wrong_idcodes, counts.contradictions) == (5, 5)
            assert counts.bad_configurations == 5
            assert counts.bad_crcs >= 5
            assert counts.skipped_bytes >= 5 * len(good)
            told = [kind for kind, _ in listener.problems]
            assert sorted(set(told)) == sorted(told)
            assert {
                Violation.CRC,
                Violation.IDCODE,
                Violation.CONTRADICTION,
                Violation.CONFIGURATION,
            } <= set(told)
            assert listener.lost == 0


async def test_a_client_that_never_reads_is_dropped_and_the_others_are_not():
    async with serving() as sender:
        here = Address(host=streams.HOST, port=sender.server.port)
        async with listening(here) as (listener,), talking(sender, Transport.TCP) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.get_running_loop().sock_sendall(deaf, command(Command.DATA_ON))
            await streams.soon(lambda: sender.server.receivers == 2)
            slot = 50
            while sender.server.receivers == 2:
                for _ in range(50):
                    sender.send(slot)
                    slot += 50
                await asyncio.sleep(0)
            assert sender.server.counts.slow == 1
            await streams.soon(lambda: len(listener.frames) == slot // 50 - 1)
            assert listener.lost == 0


async def test_a_long_answer_is_no_sign_of_a_client_that_does_not_read():
    """A CFG-3 of several frames is far longer than what may wait for a client."""
    many = [streams.station(number, phasors=["V"] * 100) for number in range(1, 300)]
    async with serving() as sender:
        big = streams.replace(sender.configuration, stations=tuple(many))
        frames = c37118.Configuration3.of(big).encode()
        assert len(frames) > 5
        sender.server._state.answer = lambda what: frames if what == 6 else None
        async with talking(sender, Transport.TCP) as sock:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(sock, command(Command.SEND_CFG3))
            reader, got = c37118.Reassembler(), []
            while len(got) < len(frames):
                got += reader.feed(await loop.sock_recv(sock, 65536))
        assert tuple(got) == frames
        assert sender.server.counts.slow == 0


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize("count", [1, 1400])
async def test_receivers_get_the_cfg_3_that_they_ask_for(transport, count):
    """The CFG-2 of 1400 small PMUs fits into a datagram, and their CFG-3 doesn't."""
    details: list[c37118.Configuration3] = []
    async with serving(transport) as sender:
        stations = [streams.station(number, phasors=()) for number in range(1, count + 1)]
        sender.configure(streams.replace(sender.configuration, stations=tuple(stations)))
        wanted = c37118.Configuration3.of(sender.configuration)
        assert (len(wanted.encode(65_507)) > 1) is (count > 1)
        here = Address(transport=transport, host=streams.HOST, port=sender.server.port)
        async with listening(here) as (listener,):
            listener.receiver.on_details = details.append
            await streams.soon(lambda: details)
    assert details[0] == wanted
    assert listener.receiver.counts.configurations3 == 1
