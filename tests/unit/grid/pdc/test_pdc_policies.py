"""Rates, clocks and ids: what the PDC does with inputs that are not as they should be."""

import asyncio
import socket
import time
from dataclasses import replace
from itertools import pairwise

import pytest
import stream_fixtures as streams
from pdc_bench import PHASORS, accepts, bench, now, pmu_input, pmus

from grid import c37118
from grid.pdc.concentrator import Concentrator
from grid.pdc.topology.model import BadTime, Downsampling, InputStream, OutputStream, Pmu, Topology
from grid.transport.address import Address
from tests.ports import free_port

UNSYNCHRONIZED = c37118.Stat(synchronized=False, time_quality=7)


def stream(**fields: object) -> OutputStream:
    return replace(OutputStream(name="pdc", idcode=10, rate=streams.RATE, lag_time_s=0.2), **fields)


@pytest.mark.parametrize(
    ("method", "kept"),
    # Slots of the input that are on, and up to two after and before, a slot of the output.
    [(Downsampling.CLOSEST, 0.0), (Downsampling.LAST_RECEIVED, 2.0)],
)
async def test_a_slower_output_takes_one_frame_of_several(method, kept):
    (sender,) = pmus(1)
    async with bench(sender, stream=stream(rate=10, downsampling=method)) as made:
        base = now() // 5 * 5
        for slot in range(base, base + 50):
            # The value says how far after a slot of the output it is: -2, -1, 0, 1, 2.
            sender.send(slot, float((slot + 2) % 5 - 2))
            await asyncio.sleep(0.005)
        await streams.soon(lambda: len(made.reader.frames) >= 9)
        counts = made.pdc.mappers[0].aligned.counts
        assert counts.downsampled >= 30
        assert counts.missing == counts.duplicate == counts.late == 0
    values = [frame.pmus[0].phasors[0][0] for frame in made.reader.frames]
    assert set(values[1:-1]) == {kept}
    times = [frame.stamp.ns(1_000_000) for frame in made.reader.frames]
    steps = {after - before for before, after in pairwise(times)}
    assert steps == {100_000_000}


async def test_a_faster_output_marks_the_slower_input_absent_between_its_frames():
    fast, slow = pmus(2)
    slow.configure(replace(slow.configuration, data_rate=25))
    async with bench(fast, slow, stream=stream(lag_time_s=5.0)) as made:
        base = now() // 2 * 2
        for slot in range(base, base + 40):
            fast.send(slot)
            if slot % 2 == 0:
                slow.send(slot)
            await asyncio.sleep(0.005)
        # The lag time is not waited for: the slow input is known to have nothing there.
        await streams.soon(lambda: made.reader.slots()[-1:] >= [base + 38], limit_s=3)
        counts = made.pdc.mappers[1].aligned.counts
        assert counts.missing == 0
    errors = {
        slot % 2: frame.pmus[1].stat.data_error
        for slot, frame in zip(made.reader.slots(), made.reader.frames, strict=True)
        if slot > base + 5
    }
    assert errors == {0: c37118.DataError.GOOD, 1: c37118.DataError.ABSENT}


async def test_frames_of_clocks_that_are_not_in_sync_are_sorted_by_arrival_and_say_so():
    good, bad = pmus(2)
    async with bench(good, bad, stream=stream(bad_time=BadTime.ARRIVAL)) as made:
        base = now()
        for step in range(60):
            good.send(now(), 1.0)
            # Its clock is an hour behind.
            bad.send(base - 3600 * streams.RATE + step, 2.0, UNSYNCHRONIZED)
            await asyncio.sleep((now() + 1) / streams.RATE - time.time())
        counts = made.pdc.mappers[1].aligned.counts
        await streams.soon(lambda: counts.by_arrival == 60)
        frames = [
            frame
            for frame in made.reader.frames
            if frame.pmus[1].stat.data_error is c37118.DataError.GOOD
        ]
    assert len(frames) >= 5
    assert all(frame.pmus[1].stat.sorted_by_arrival for frame in frames)
    assert all(not frame.pmus[0].stat.sorted_by_arrival for frame in frames)
    assert all(frame.pmus[1].phasors[0][0] == 2.0 for frame in frames)


async def test_frames_of_clocks_that_are_not_in_sync_can_be_left_out():
    good, bad = pmus(2)
    async with bench(good, bad, stream=stream(bad_time=BadTime.DROP)) as made:
        base = now()
        for slot in range(base, base + 20):
            good.send(slot)
            bad.send(slot, 2.0, UNSYNCHRONIZED)
            await asyncio.sleep(0.01)
        counts = made.pdc.mappers[1].aligned.counts
        await streams.soon(lambda: counts.bad_time == 20)
        await streams.soon(lambda: made.reader.slots()[-1:] == [base + 19])
    absent = [frame.pmus[1].stat.data_error for frame in made.reader.frames]
    assert set(absent) == {c37118.DataError.ABSENT}


async def test_two_pmus_of_one_idcode_are_told_apart_by_an_id_of_the_output():
    first, second = (streams.Sender(7, [streams.station(7)]) for _ in range(2))

    def inputs(ports: list[int]) -> tuple[InputStream, ...]:
        return tuple(
            InputStream(
                name=name,
                address=Address(host=streams.HOST, port=port),
                idcode=7,
                pmus=(Pmu(name=name, idcode=7, output_idcode=output, phasors=PHASORS),),
                concentrator=False,
                silence_s=30.0,
            )
            for name, output, port in zip(("north", "south"), (7, 107), ports, strict=True)
        )

    async with bench(first, second, inputs=inputs) as made:
        slot = await made.prime()
        made.send(slot, 1.0, 2.0)
        await streams.soon(lambda: made.reader.slots()[-1] == slot)
    assert [station.idcode for station in made.reader.configuration.stations] == [7, 107]
    assert [pmu.phasors[0][0] for pmu in made.reader.frames[-1].pmus] == [1.0, 2.0]


async def test_of_two_pmus_with_one_idcode_in_a_stream_the_named_one_is_taken(caplog):
    stations = [replace(streams.station(5), name=name) for name in ("west", "east")]
    sender = streams.Sender(77, stations)

    def inputs(ports: list[int]) -> tuple[InputStream, ...]:
        return (
            InputStream(
                name="area",
                address=Address(host=streams.HOST, port=ports[0]),
                idcode=77,
                pmus=(Pmu(name="east", idcode=5, phasors=PHASORS),),
                concentrator=True,
                silence_s=30.0,
            ),
        )

    async with bench(sender, inputs=inputs) as made:
        await made.prime()
        (move,) = made.pdc.mappers[0]._mappings[made.pdc._format].copies
    assert move[0] == 14 + c37118.BlockCodec(stations[0]).size
    assert caplog.text.count("IDCODE 5 stands twice in the stream: taking the PMU") == 1
    assert streams.HOST in caplog.text


async def test_missing_double_and_disordered_frames_are_counted():
    (sender,) = pmus(1)
    async with bench(sender) as made:
        counts = made.pdc.mappers[0].aligned.counts
        base = now()
        for slot in (0, 1, 1, 2, 5, 4, 6):
            sender.send(base + slot)
            await asyncio.sleep(0.005)
        await streams.soon(lambda: counts.received == 7)
    assert (counts.missing, counts.duplicate, counts.out_of_order) == (2, 1, 1)
    assert counts.expected == 8
    assert counts.latency.count == 7


@pytest.mark.parametrize("step_s", [3600, -3600])
async def test_a_clock_that_is_set_is_counted_said_once_and_followed(caplog, step_s):
    (sender,) = pmus(1)
    async with bench(sender) as made:
        base, port = await made.prime(), sender.server.port
        step = step_s * streams.RATE
        for slot in range(base + step, base + step + 100):
            sender.send(slot)
            await asyncio.sleep(0.02)
        await streams.soon(lambda: made.reader.slots()[-1:] == [base + step + 99])
        counts = made.pdc.mappers[0].aligned.counts
    assert counts.clock_jumps == 1
    assert counts.missing == 0
    assert caplog.text.count("its time stamps moved by") == 1
    assert f"tcp://127.0.0.1:{port}" in caplog.text


async def test_early_and_late_frames_are_left_out_and_said_once_with_the_address(caplog):
    one, two = pmus(2)
    async with bench(one, two, stream=stream(lead_time_s=0.5, lag_time_s=0.1)) as made:
        base, port = await made.prime(), two.server.port
        for slot in range(base, base + 70):
            one.send(slot)
            two.send(slot + 100 if slot < base + 10 else slot - 20)
            await asyncio.sleep(0.02)
        counts = made.pdc.mappers[1].aligned.counts
        await streams.soon(lambda: counts.ahead == 10 and counts.late >= 55)
    assert caplog.text.count("beyond the lead time, and was left out") == 1
    assert caplog.text.count("raise the lag time") == 1
    assert caplog.text.count(f"input pmu-2 (tcp://127.0.0.1:{port}): a frame came") == 1


async def test_an_input_that_never_configures_holds_nobody_up(caplog):
    (good,) = pmus(1)
    mute = streams.Sender(2, [streams.station(2)])
    mute.mute = True
    ports = [await sender.open() for sender in (good, mute)]
    inputs = tuple(
        pmu_input(index, port, silence_s=0.4) for index, port in enumerate(ports, start=1)
    )
    pdc = Concentrator(Topology(node="n", stream=stream(), inputs=inputs))
    out = free_port()
    await pdc.start(streams.HOST, out)
    feeding = asyncio.ensure_future(_feed(good))
    await streams.soon(lambda: accepts(out))
    await streams.soon(lambda: pdc.aligner.counts.published > 10)
    await streams.soon(lambda: pdc.mappers[1].receiver.counts.attempts > 4)
    feeding.cancel()
    await pdc.close()
    for sender in (good, mute):
        await sender.server.close()
    said = [
        record.message
        for record in caplog.records
        if "no configuration for 0.4 s" in record.message
    ]
    # Said at the first, second, fourth, eighth... attempt, with the address.
    assert 1 <= len(said) <= 4
    assert f"tcp://127.0.0.1:{ports[1]}" in said[0]


async def _feed(sender: streams.Sender) -> None:
    while True:
        sender.send(now())
        await asyncio.sleep(1 / streams.RATE)


async def test_a_sender_of_ever_new_configurations_is_followed_and_fills_neither_log_nor_memory(
    caplog,
):
    (sender,) = pmus(1)
    async with bench(sender) as made:
        base = await made.prime()
        configuration = sender.configuration
        for step in range(200):
            other = replace(configuration, time_base=1_000_000 - step)
            sender.configure(other)
            sender.server.announce()
            sender.send(base + step, 3.0)
            await asyncio.sleep(0.002)
        counts = made.pdc.mappers[0].aligned.counts
        await streams.soon(lambda: counts.configuration_changes == 199)
        await streams.soon(lambda: made.reader.slots()[-1:] == [base + 199])
        assert len(made.pdc._slot_finders) <= 64
    assert caplog.text.count("its configuration changed") < 10
    assert counts.missing == 0


async def test_a_thousand_connections_do_not_disturb_a_client():
    (sender,) = pmus(1)
    async with bench(sender) as made:
        feeding = asyncio.ensure_future(_feed(sender))
        opened = []
        for _ in range(1000):
            sock = socket.socket()
            sock.setblocking(False)
            opened.append(sock)
            address = (streams.HOST, made.reader.port)
            await asyncio.get_running_loop().sock_connect(sock, address)
        start = time.monotonic()
        seen = len(made.reader.frames)
        await streams.soon(lambda: len(made.reader.frames) > seen + 50)
        assert time.monotonic() - start < streams.stretched(3)
        assert len(made.pdc.output.server.clients) <= 256
        feeding.cancel()
        for sock in opened:
            sock.close()
