"""The PDC between real TCP connections: inputs that the test feeds, a client that reads."""

import asyncio
import math
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
import stream_fixtures as streams
import tshark_judge
from pdc_bench import PHASORS, Reader, accepts, bench, now, pmu_input, pmus

from grid import c37118
from grid.documents.channels import Phasor
from grid.pdc.concentrator import Concentrator
from grid.pdc.topology.model import InputStream, OutputStream, Pmu, Topology
from grid.transport.address import Address
from tests.ports import free_port


async def test_three_pmus_leave_as_one_stream(tmp_path: Path):
    async with bench(*pmus(3)) as made:
        base, reader = await made.prime(), made.reader
        for slot in range(base, base + 50):
            made.send(slot, 1.0, 2.0, 3.0)
            await asyncio.sleep(0)
        await streams.soon(lambda: reader.slots()[-1] == base + 49)
        raw = list(reader.raw)
    assert reader.slots()[-50:] == [*range(base, base + 50)]
    last = reader.frames[-1]
    assert last.idcode == 10
    assert [pmu.phasors[0][0] for pmu in last.pmus] == [1.0, 2.0, 3.0]
    assert all(pmu.stat == c37118.Stat() for pmu in last.pmus)
    assert last.stamp.quality.code == 4, "the quality of the inputs, which they gave as 4"
    configuration = reader.configuration
    assert configuration is not None
    assert [station.idcode for station in configuration.stations] == [1, 2, 3]
    assert [station.name for station in configuration.stations] == ["pmu-1", "pmu-2", "pmu-3"]
    tshark_judge.judge(tmp_path / "pdc.pcap", raw).assert_flawless(len(reader.frames) + 3)


async def test_a_missing_pmu_is_marked_absent_after_the_lag_time(tmp_path: Path):
    async with bench(*pmus(3)) as made:
        slot, reader = await made.prime(), made.reader
        start = time.monotonic()
        made.send(slot, 1, None, 3)
        await streams.soon(lambda: reader.slots()[-1] == slot)
        waited = time.monotonic() - start
        raw = list(reader.raw)
    assert 0.19 < waited < streams.stretched(1.0)
    first, second, third = reader.frames[-1].pmus
    assert (first.phasors[0][0], third.phasors[0][0]) == (1, 3)
    assert second.stat == c37118.ABSENT
    assert all(math.isnan(number) for pair in second.phasors for number in pair)
    assert math.isnan(second.frequency)
    tshark_judge.judge(tmp_path / "absent.pcap", raw).assert_flawless(len(reader.frames) + 3)


async def test_a_pmu_that_left_is_not_waited_for_and_comes_back():
    first, second = pmus(2)
    async with bench(first, second) as made:
        slot, reader = await made.prime(), made.reader
        port = second.server.port
        await second.server.close()
        await streams.soon(lambda: made.pdc.mappers[1].receiver.counts.connections == 1)
        await asyncio.sleep(0.1)
        start = time.monotonic()
        first.send(slot, 1)
        await streams.soon(lambda: reader.slots()[-1] == slot)
        assert time.monotonic() - start < streams.stretched(0.15), (
            "nobody waits for an input that is gone"
        )
        assert reader.frames[-1].pmus[1].stat.data_error is c37118.DataError.ABSENT

        again = streams.Sender(2, [streams.station(2)])
        await again.open(port)
        start = time.monotonic()
        await streams.soon(lambda: again.receivers)
        assert time.monotonic() - start < streams.stretched(1.5)
        base = now()
        for slot in range(base, base + 5):
            first.send(slot, 1)
            again.send(slot, 7)
            await asyncio.sleep(0.02)
        await streams.soon(lambda: reader.slots()[-1] == base + 4)
        assert reader.frames[-1].pmus[1].phasors[0][0] == 7
        await again.server.close()


async def test_a_peer_that_falls_silent_is_connected_again():
    (sender,) = pmus(1)
    async with bench(sender, silence_s=0.5) as made:
        base = now()
        made.send(base, 1)
        receiver = made.pdc.mappers[0].receiver
        start = time.monotonic()
        await streams.soon(lambda: receiver.counts.connections == 2)
        assert 0.4 < time.monotonic() - start < streams.stretched(2.0)
        await streams.soon(lambda: sender.receivers == 1)
        made.send(now(), 5)
        await streams.soon(lambda: made.reader.frames[-1].pmus[0].phasors[0][0] == 5)


async def test_a_peer_that_accepts_and_says_nothing_is_given_up():
    (sender,) = pmus(1)
    sender.mute = True
    port = await sender.open()
    topology = Topology(
        node="n",
        stream=OutputStream(name="pdc", idcode=10),
        inputs=(pmu_input(1, port, silence_s=0.3),),
    )
    pdc = Concentrator(topology)
    out = free_port()
    await pdc.start(streams.HOST, out)
    receiver = pdc.mappers[0].receiver
    await streams.soon(lambda: receiver.counts.attempts >= 3)
    assert not accepts(out), "the output stays closed without a configuration"
    sender.mute = False
    await streams.soon(lambda: accepts(out))
    await pdc.close()
    await sender.server.close()


async def test_the_output_opens_without_an_input_that_does_not_come():
    (sender,) = pmus(1)
    port = await sender.open()
    inputs = (pmu_input(1, port), pmu_input(2, free_port()))
    pdc = Concentrator(
        Topology(node="n", stream=OutputStream(name="pdc", idcode=10), inputs=inputs)
    )
    out = free_port()
    await pdc.start(streams.HOST, out)
    await streams.soon(lambda: sender.receivers)
    assert not accepts(out)
    start = time.monotonic()
    await streams.soon(lambda: accepts(out))
    assert 1.0 < time.monotonic() - start < streams.stretched(4.0)
    await pdc.close()
    await sender.server.close()


async def test_integers_and_polar_phasors_become_the_format_of_the_output():
    form = c37118.Format(
        polar=True, float_phasors=False, float_analogs=False, float_frequency=False
    )
    sender = streams.Sender(1, [streams.station(1, form=form)], time_base=0xFFFFFF)
    async with bench(sender) as made:
        slot = await made.prime()
        made.send(slot, 123.4)
        await streams.soon(lambda: made.reader.slots()[-1] == slot)
    (pmu,) = made.reader.frames[-1].pmus
    assert pmu.phasors[0][0] == pytest.approx(123.4, abs=0.05)
    assert pmu.phasors[0][1] == pytest.approx(0, abs=0.05)
    assert pmu.frequency == pytest.approx(50.01, abs=1e-3)


async def test_an_integer_output_carries_floats_within_its_steps():
    stream = OutputStream(name="pdc", idcode=10, float_format=False, polar=True)
    async with bench(*pmus(1), stream=stream) as made:
        slot = await made.prime()
        made.send(slot, 2000.0)
        await streams.soon(lambda: made.reader.slots()[-1] == slot)
        station = made.pdc.configuration.stations[0]
    read = c37118.read(station, made.reader.frames[-1].pmus[0])
    assert abs(read.phasors[0]) == pytest.approx(2000, abs=27.3)
    assert read.frequency_hz == pytest.approx(50.01)


async def test_the_pmus_of_another_pdc_are_passed_on_by_their_idcode():
    sender = streams.Sender(77, [streams.station(idcode) for idcode in (5, 6, 7)])
    wanted = tuple(Pmu(name=f"p{idcode}", idcode=idcode, phasors=PHASORS) for idcode in (7, 5, 9))

    def inputs(ports: list[int]) -> tuple[InputStream, ...]:
        return (
            InputStream(
                name="area",
                address=Address(host=streams.HOST, port=ports[0]),
                idcode=77,
                pmus=wanted,
                concentrator=True,
                silence_s=30.0,
            ),
        )

    async with bench(sender, inputs=inputs) as made:
        slot = await made.prime()
        made.send(slot, 4.0)
        await streams.soon(lambda: made.reader.slots()[-1] == slot)
    errors = [pmu.stat.data_error for pmu in made.reader.frames[-1].pmus]
    assert errors == [c37118.DataError.GOOD, c37118.DataError.GOOD, c37118.DataError.ABSENT]


async def test_missing_channels_are_absent_and_surplus_ones_left_out():
    few = streams.Sender(1, [streams.station(1, phasors=["VA"])])
    many = streams.Sender(2, [streams.station(2, phasors=["VA", "VB", "VC"])])
    async with bench(few, many) as made:
        slot = await made.prime()
        made.send(slot, 1, 2)
        await streams.soon(lambda: made.reader.slots()[-1] == slot)
    first, second = made.reader.frames[-1].pmus
    assert first.phasors[0][0] == 1
    assert math.isnan(first.phasors[1][0])
    assert [pair[0] for pair in second.phasors] == [2, 2]


async def test_a_changed_configuration_is_asked_for_and_followed(caplog):
    (sender,) = pmus(1)
    async with bench(sender) as made:
        base = now()
        made.send(base, 1)
        other = streams.Sender(1, [streams.station(1, phasors=["VA", "IA", "IB"])])
        sender.configure(other.configuration)
        # The first answer to CFG-2 is a second old at least, so it may be asked again.
        for step in range(1, 120):
            made.send(base + step, 9)
            await asyncio.sleep(0.02)
        await streams.soon(lambda: made.reader.frames[-1].pmus[0].phasors[0][0] == 9)
    assert "contradict the configuration" in caplog.text


async def test_the_configuration_change_bit_makes_it_ask_for_cfg_2():
    """The new configuration has frames of the same size, so only STAT tells of it."""
    form = c37118.Format(float_phasors=False)
    (sender,) = (streams.Sender(1, [streams.station(1, form=form)]),)
    async with bench(sender) as made:
        slot = await made.prime()
        unit = c37118.PhasorUnit(kind=0, factor=c37118.unit_factor(100_000))
        station = replace(sender.configuration.stations[0], phasor_units=(unit, unit))
        sender.configure(replace(sender.configuration, stations=(station,)))
        await asyncio.sleep(1.1)
        changing = c37118.Stat(configuration_change=True)
        for step in range(20):
            sender.send(slot + 55 + step, 50_000.0, changing)
            await asyncio.sleep(0.02)
        await streams.soon(lambda: made.reader.slots()[-1] == slot + 74)
    assert made.reader.frames[-1].pmus[0].phasors[0][0] == pytest.approx(50_000, abs=4)
    assert made.reader.frames[-1].pmus[0].stat.configuration_change


async def test_wrong_ids_and_crcs_are_counted_said_once_and_never_fatal(caplog):
    (sender,) = pmus(1)
    stranger = streams.Sender(3, [streams.station(3)])
    async with bench(sender) as made:
        base = now()
        for slot in range(base, base + 20):
            good = sender.frame(slot)
            sender.server.publish(good[:-1] + bytes([good[-1] ^ 1]))
            sender.server.publish(stranger.frame(slot))
            sender.server.publish(b"\xaa\x01\x00\x10 noise")
            sender.server.publish(good)
            await asyncio.sleep(0.005)
        await streams.soon(lambda: made.reader.slots()[-1:] == [base + 19])
        assert len(made.reader.frames) >= 19
    assert caplog.text.count("wrong CRC") == 1
    assert caplog.text.count("data frames carry IDCODE 3") == 1


async def test_pmu_status_is_passed_on():
    (sender,) = pmus(1)
    stat = c37118.Stat(synchronized=False, time_quality=6, unlocked=2, trigger=True)
    async with bench(sender) as made:
        slot = await made.prime()
        sender.send(slot, 1.0, stat)
        await streams.soon(lambda: made.reader.slots()[-1] == slot)
    assert made.reader.frames[-1].pmus[0].stat == stat


async def test_a_second_level_streams_again_as_soon_as_its_input_is_back():
    """The first level is stopped and started; the second one and its client stay."""
    (sender,) = pmus(1)
    port = await sender.open()
    lower_port, higher_port = free_port(), free_port()
    lower_topology = Topology(
        node="lower",
        stream=OutputStream(name="lower", idcode=30, address=Address(port=lower_port)),
        inputs=(pmu_input(1, port),),
    )
    pmu = Pmu(name="pmu-1", idcode=1, phasors=PHASORS)
    area = InputStream(
        name="lower",
        address=Address(host=streams.HOST, port=lower_port),
        idcode=30,
        pmus=(pmu,),
        concentrator=True,
        silence_s=1.0,
    )
    higher = Concentrator(
        Topology(node="higher", stream=OutputStream(name="higher", idcode=10), inputs=(area,))
    )
    lower = Concentrator(lower_topology)
    await lower.start(streams.HOST, lower_port)
    await higher.start(streams.HOST, higher_port)
    feeding = asyncio.ensure_future(feed(sender))
    await streams.soon(lambda: accepts(higher_port))
    reader = Reader(higher_port)
    await reader.open()
    await streams.soon(lambda: len(reader.frames) > 10)
    await lower.close()
    await asyncio.sleep(0.5)
    seen, start = len(reader.frames), time.monotonic()
    lower = Concentrator(lower_topology)
    await lower.start(streams.HOST, lower_port)
    await streams.soon(lambda: len(reader.frames) > seen + 5)
    assert time.monotonic() - start < streams.stretched(2.5)
    feeding.cancel()
    await reader.close()
    for part in (higher, lower):
        await part.close()
    await sender.server.close()


async def feed(sender: streams.Sender) -> None:
    while True:
        sender.send(now())
        await asyncio.sleep(1 / streams.RATE)


async def test_a_client_that_never_reads_delays_nobody():
    # Frames of 32 PMUs are 1 KiB, so that the buffers are full soon.
    stations = [streams.station(idcode, phasors=["V"] * 3) for idcode in range(1, 33)]
    sender = streams.Sender(77, stations)
    wanted = tuple(
        Pmu(
            name=f"p{idcode}",
            idcode=idcode,
            phasors=tuple(Phasor(label=f"V{phase}", type="V", phase=phase) for phase in "ABC"),
        )
        for idcode in range(1, 33)
    )

    def inputs(ports: list[int]) -> tuple[InputStream, ...]:
        return (
            InputStream(
                name="area",
                address=Address(host=streams.HOST, port=ports[0]),
                idcode=77,
                pmus=wanted,
                concentrator=True,
                silence_s=30.0,
            ),
        )

    async with bench(sender, inputs=inputs) as made:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((streams.HOST, made.reader.port))
        frame = c37118.CommandFrame.now(c37118.Command.DATA_ON, idcode=10).encode()
        deaf.sendall(frame)
        await streams.soon(lambda: sum(client.on for client in made.pdc.output.server.clients) == 2)
        base = now()
        for slot in range(base, base + 600):
            made.send(slot, 1.0)
            await asyncio.sleep(0.002)
        await streams.soon(lambda: made.reader.slots()[-1:] == [base + 599])
        assert len(made.pdc.output.server.clients) == 1, "the deaf client is dropped"
        slots = made.reader.slots()
        assert slots == [*range(slots[0], base + 600)]
        deaf.close()
