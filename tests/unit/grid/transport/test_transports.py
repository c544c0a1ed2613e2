"""Sender and receiver over every transport, IPv4 and IPv6, on this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import stream_fixtures as streams

from grid import c37118
from grid.c37118 import ReceiverSession, Violation
from grid.inspect import frame_sources
from grid.inspect.observed_frame import ObservedFrame
from grid.transport import client
from grid.transport.address import Address, Transport
from grid.transport.receiver import Receiver
from tests.ports import free_port

HOSTS = ["127.0.0.1", "::1"]
GROUPS = ["239.118.2.1", "ff02::118:2"]


def multicast_interface(group: str) -> str:
    """Return an interface by which this machine sends to the group; lo has no route for IPv6."""
    if ":" not in group:
        return "lo"
    for index, name in socket.if_nameindex():
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            if sock.connect_ex((group, 9, 0, index)) == 0:
                return name
    pytest.skip("this machine routes no IPv6 multicast")


class Listener:
    """A Receiver, and what it got."""

    def __init__(self, address: Address, idcode: int | None = 7, silence_s: float = 20.0) -> None:
        self.frames: list[c37118.DataFrame] = []
        self.configurations: list[c37118.Configuration] = []
        self.lost = 0
        self.heard_s = self.lost_s = 0.0
        self.problems: list[tuple[Violation, str]] = []
        self.receiver = Receiver(
            address,
            idcode,
            name="stream",
            silence_s=silence_s,
            retry_s=0.3,
            on_configuration=self.configurations.append,
            on_frame=self._frame,
            on_lost=self._lost,
            on_problem=lambda kind, what: self.problems.append((kind, what)),
        )
        self.task: asyncio.Task[None]

    def _frame(self, codec: c37118.DataCodec, frame: bytes) -> None:
        self.heard_s = asyncio.get_running_loop().time()
        self.frames.append(codec.decode(frame))

    def _lost(self) -> None:
        self.lost_s = asyncio.get_running_loop().time()
        self.lost += 1

    def seconds(self) -> list[int]:
        return [frame.stamp.soc for frame in self.frames]


@asynccontextmanager
async def listening(*addresses: Address, **options: object) -> AsyncIterator[list[Listener]]:
    listeners = [Listener(address, **options) for address in addresses]
    for listener in listeners:
        listener.task = asyncio.ensure_future(listener.receiver.run())
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.task.cancel()
        await asyncio.gather(*(one.task for one in listeners), return_exceptions=True)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def sending(address: Address) -> AsyncIterator[streams.Sender]:
    sender = streams.Sender(7, [streams.station(7)])
    await sender.server.attach(address)
    await sender.server.accept()
    try:
        yield sender
    finally:
        await sender.server.close()
        await asyncio.sleep(0.01)


async def pump(sender: streams.Sender, *listeners: Listener, wanted: int = 5) -> None:
    """Send until each listener has some frames more; a datagram before it listens is lost."""
    goals = [len(listener.frames) + wanted for listener in listeners]
    slot = 50
    while any(len(one.frames) < goal for one, goal in zip(listeners, goals, strict=True)):
        sender.send(slot)
        slot += 50
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("transport", list(Transport))
async def test_frames_arrive_in_order_by_every_transport(transport, host):
    streams.needs(host)
    udp = free_port()
    data = udp if transport is Transport.TCP_UDP else 0
    port = udp if transport is Transport.SPONTANEOUS else 0
    address = Address(transport=transport, host=host, port=port, data_port=data)
    async with sending(address) as sender:
        there = Address(
            transport=transport, host=host, port=port or sender.server.port, data_port=data
        )
        async with listening(there) as (listener,):
            if transport is Transport.SPONTANEOUS:
                # The first CFG-2 may have come before the receiver did.
                await streams.soon(lambda: listener.receiver.counts.attempts)
                await asyncio.sleep(0.1)
                sender.server.announce()
            await streams.soon(lambda: listener.configurations)
            await streams.soon(lambda: sender.server.receivers)
            assert listener.configurations[0] == sender.configuration
            for slot in range(50, 1050, 50):
                sender.send(slot)
            await streams.soon(lambda: len(listener.frames) == 20)
            assert listener.seconds() == list(range(1, 21))
            assert listener.problems == []
            assert sender.server.counts.sent == 20
        if transport is not Transport.SPONTANEOUS:
            # A receiver that leaves turns its data off.
            await streams.soon(lambda: not sender.server.receivers)


@pytest.mark.parametrize("group", GROUPS)
async def test_a_multicast_group_reaches_every_member_of_this_machine(group):
    interface = multicast_interface(group)
    address = Address(
        transport=Transport.SPONTANEOUS, host=group, port=free_port(), interface=interface
    )
    async with listening(address, address, idcode=None) as listeners, sending(address) as sender:
        await streams.soon(lambda: sender.server.receivers)
        sender.server.announce()
        await pump(sender, *listeners)
        assert all(one.configurations[0] == sender.configuration for one in listeners)
        assert [one.lost for one in listeners] == [0, 0]


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP, Transport.TCP_UDP])
async def test_a_sender_that_comes_back_is_received_again(transport):
    data = free_port() if transport is Transport.TCP_UDP else 0
    address = Address(transport=transport, host=streams.HOST, data_port=data, port=0)
    async with sending(address) as sender:
        port = sender.server.port
        there = Address(transport=transport, host=streams.HOST, port=port, data_port=data)
        async with listening(there, silence_s=0.5) as (listener,):
            await pump(sender, listener)
            await sender.server.close()
            await streams.soon(lambda: listener.lost == 1)
            async with sending(there) as again:
                await pump(again, listener)
            assert listener.receiver.counts.connections == 2
            assert listener.receiver.counts.attempts >= 2


async def test_a_spontaneous_stream_survives_silence_without_a_new_configuration():
    address = Address(transport=Transport.SPONTANEOUS, host=streams.HOST, port=free_port())
    async with listening(address, silence_s=0.2) as (listener,), sending(address) as sender:
        sender.server.announce()
        await pump(sender, listener)
        await streams.soon(lambda: listener.lost == 1)
        assert not listener.receiver.connected
        await pump(sender, listener)
        assert listener.receiver.connected
        assert len(listener.configurations) <= 2


async def test_a_second_sender_of_one_idcode_is_ignored_and_said_once():
    address = Address(transport=Transport.SPONTANEOUS, host=streams.HOST, port=free_port())
    async with listening(address) as (listener,), sending(address) as sender:
        sender.server.announce()
        await pump(sender, listener)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(5):
                stranger.sendto(sender.frame(9999 * 50), (streams.HOST, address.port))
            await streams.soon(lambda: listener.receiver.counts.strangers == 5)
    assert 9999 not in listener.seconds()
    ((kind, what),) = listener.problems
    assert kind is Violation.STRANGER
    assert "are there two senders?" in what


async def test_lost_datagrams_are_asked_for_again():
    """The first CFG-2, and the first command to turn data on, never arrive."""
    loop = asyncio.get_running_loop()
    sender = streams.Sender(7, [streams.station(7)])
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((streams.HOST, 0))
    asked: list[int] = []
    address = Address(transport=Transport.UDP, host=streams.HOST, port=sock.getsockname()[1])
    async with listening(address) as (listener,):
        while asked.count(c37118.Command.DATA_ON) < 2:
            data, peer = await loop.sock_recvfrom(sock, 4096)
            asked.append(c37118.CommandFrame.decode(data).command)
            if asked.count(c37118.Command.SEND_CFG2) == 2 and asked[-1] == 5:
                sock.sendto(sender.configuration.encode(), peer)
        sock.sendto(sender.frame(50), peer)
        await streams.soon(lambda: listener.seconds() == [1])
    sock.close()
    assert asked == [1, 5, 5, 2, 2]


async def test_a_udp_client_whose_port_is_closed_is_forgotten():
    address = Address(transport=Transport.UDP, host=streams.HOST, port=0)
    async with sending(address) as sender:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
            gone.bind((streams.HOST, 0))
            frame = c37118.CommandFrame.now(2, idcode=7).encode()
            gone.sendto(frame, (streams.HOST, sender.server.port))
            await streams.soon(lambda: sender.server.receivers == 1)
        there = Address(transport=Transport.UDP, host=streams.HOST, port=sender.server.port)
        async with listening(there) as (listener,):
            await pump(sender, listener, wanted=10)
            assert sender.server.receivers == 1
            assert sender.server.counts.unreachable == 1


async def test_one_stream_is_served_by_several_transports_side_by_side():
    data = free_port()
    async with sending(Address(host=streams.HOST, port=0)) as sender:
        both = Address(transport=Transport.TCP_UDP, host=streams.HOST, port=0, data_port=data)
        await sender.server.attach(both)
        await sender.server.accept()
        first, second = (transport.port for transport in sender.server._state.transports)
        tcp = Address(host=streams.HOST, port=first)
        udp = Address(transport=Transport.TCP_UDP, host=streams.HOST, port=second, data_port=data)
        async with listening(tcp, udp) as listeners:
            await pump(sender, *listeners)
            assert sender.server.receivers == 2


async def test_a_stream_of_few_frames_is_not_dead_between_them():
    async with sending(Address(host=streams.HOST, port=0)) as sender:
        rate = streams.replace(sender.configuration, data_rate=-2)
        sender.configure(rate)
        address = Address(host=streams.HOST, port=sender.server.port)
        async with listening(address, silence_s=0.2) as (listener,):
            await streams.soon(lambda: sender.server.receivers)
            await asyncio.sleep(1.0)
            sender.send(50)
            await streams.soon(lambda: listener.frames)
            assert listener.lost == 0


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP, Transport.TCP_UDP])
async def test_a_peer_that_falls_silent_is_noticed_within_the_set_time(transport):
    data = free_port() if transport is Transport.TCP_UDP else 0
    address = Address(transport=transport, host=streams.HOST, data_port=data, port=0)
    async with sending(address) as sender:
        there = Address(
            transport=transport, host=streams.HOST, port=sender.server.port, data_port=data
        )
        async with listening(there, silence_s=0.5) as (listener,):
            await pump(sender, listener)
            await streams.soon(lambda: listener.lost)
            assert 0.49 < listener.lost_s - listener.heard_s < streams.stretched(1.5)
            await streams.soon(lambda: sender.server.receivers)
            await pump(sender, listener)


async def test_pauses_between_attempts_grow_up_to_the_limit():
    """Of 0.1, 0.2, 0.3, 0.3 ... s: a dead peer is not asked all the time."""
    address = Address(host=streams.HOST, port=free_port())
    start_s = asyncio.get_running_loop().time()
    async with listening(address) as (listener,):
        await streams.soon(lambda: listener.receiver.counts.attempts == 7)
        # Without growing pauses it would be 0.6 s, and with endless growth 6.3.
        assert 1.45 < asyncio.get_running_loop().time() - start_s < streams.stretched(5)
        assert listener.receiver.last_failure == "Connection refused"


def test_commands_count_time_as_the_sender_does():
    """TIME_BASE holds for all frames of a stream, in both directions, once it is known."""
    sender = streams.Sender(7, [streams.station(7)], time_base=1000)
    session = ReceiverSession(7)
    session.open()
    session.ask()
    list(session.feed(sender.configuration.encode()))
    commands = [c37118.CommandFrame.decode(frame) for frame in session.commands()]
    assert commands[-1].command == c37118.Command.DATA_ON
    assert commands[-1].stamp.count < 1000


class OneOfARead(asyncio.Protocol):
    """A sender as openPDC's: of what one read gives it, it takes the first command."""

    def __init__(self, sender: streams.Sender) -> None:
        self._sender = sender

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if c37118.CommandFrame.decode(data[:18]).command == c37118.Command.SEND_CFG2:
            self._transport.write(self._sender.configuration.encode())


async def test_no_command_is_lost_on_a_sender_that_takes_one_of_a_read():
    sender = streams.Sender(7, [streams.station(7)])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: OneOfARead(sender), streams.HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with listening(Address(host=streams.HOST, port=port)) as (listener,):
        await streams.soon(lambda: listener.configurations)
    events = client.receive(streams.HOST, port, idcode=7)
    found = await asyncio.to_thread(lambda: [next(events), next(events)])
    assert isinstance(found[1], client.Configured)
    await asyncio.to_thread(events.close)
    server.close()


async def test_a_spontaneous_stream_is_looked_at_live():
    address = Address(transport=Transport.SPONTANEOUS, host=streams.HOST, port=free_port())
    seen: list[ObservedFrame] = []

    def see(one: ObservedFrame) -> bool:
        seen.append(one)
        return len(seen) >= 10

    async with sending(address) as sender:
        sender.server.announce()
        looking = asyncio.ensure_future(
            frame_sources.live(
                address, None, see, seconds=None, wait_s=30, details=False, on_problem=print
            )
        )
        slot = 50
        while not looking.done():
            sender.server.announce()
            sender.send(slot)
            slot += 50
            await asyncio.sleep(0.02)
        counts = await looking
    assert counts.bad_crcs == 0
    assert {one.type.name for one in seen} == {"CFG2", "DATA"}
