"""A configuration that changes while frames go through."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import stream_fixtures as streams
import yaml
from pdc_bench import Reader, accepts, now, pmus

from grid import c37118
from grid.pdc.configuration_source import FileSource
from grid.pdc.service import PdcService, ServiceSettings
from grid.pdc.topology.model import Topology
from tests.ports import free_port

GOOD, ABSENT = c37118.DataError.GOOD, c37118.DataError.ABSENT


class Running:
    """A PDC that follows a file, senders that never pause, and a client that counts."""

    def __init__(self, path: Path, senders: Sequence[streams.Sender]) -> None:
        self.path = path
        self.ports: list[int] = []
        self.senders = senders
        self.out = free_port()
        self.service: PdcService
        self.reader: Reader

    def write(self, *idcodes: int, inputs: dict | None = None, **stream: object) -> None:
        """Write a topology with these PMUs, in this order."""
        document = {
            "stream": {"name": "pdc", "idcode": 10, "port": self.out, "lag_time_s": 0.5, **stream},
            "inputs": [
                {
                    "name": f"pmu-{idcode}",
                    "host": streams.HOST,
                    "port": self.ports[idcode - 1],
                    "idcode": idcode,
                    "silence_s": 30,
                    "phasors": ["VA", "IA"],
                    **(inputs or {}),
                }
                for idcode in idcodes
            ],
        }
        # Replaced as a whole, so that nobody reads half of it.
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(yaml.safe_dump(document))
        unfinished.rename(self.path)

    async def feed(self) -> None:
        slot = now()
        while True:
            for sender in self.senders:
                sender.send(slot, float(sender.configuration.idcode))
            slot += 1
            await asyncio.sleep(max(0.0, slot / streams.RATE - time.time()))

    async def reloaded(self, count: int = 1) -> None:
        """Wait until a change is in use, and some frames have passed since."""
        await streams.soon(lambda: self.service.watcher.applied == count)
        seen = len(self.reader.frames)
        await streams.soon(lambda: len(self.reader.frames) > seen + 30)

    def lost(self) -> list[int]:
        """Return the slots that the client did not get between its first and its last."""
        slots = self.reader.slots()
        return sorted(set(range(slots[0], slots[-1] + 1)) - set(slots))


@asynccontextmanager
async def running(
    tmp_path: Path, *idcodes: int, poll_s: float = 0.05, **stream: object
) -> AsyncIterator[Running]:
    made = Running(tmp_path / "grid.yml", pmus(3))
    made.ports = [await sender.open() for sender in made.senders]
    made.write(*idcodes, **stream)
    source = FileSource(made.path)
    made.service = PdcService(
        source.load(), ServiceSettings(listen=streams.HOST, poll_s=poll_s), source
    )
    await made.service.start()
    feeding = asyncio.ensure_future(made.feed())
    try:
        await streams.soon(lambda: accepts(made.out))
        made.reader = Reader(made.out)
        await made.reader.open()
        await streams.soon(lambda: len(made.reader.frames) > 30)
        # The frames of the first second may lack an input that came later.
        made.reader.frames.clear()
        await streams.soon(lambda: len(made.reader.frames) > 10)
        yield made
    finally:
        feeding.cancel()
        await made.reader.close()
        await made.service.close()
        for sender in made.senders:
            await sender.server.close()


def connections(service: PdcService) -> dict[str, int]:
    mappers = service.concentrator.mappers
    return {mapper.input_stream.name: mapper.receiver.counts.connections for mapper in mappers}


async def test_a_pmu_is_added_and_removed_without_losing_a_frame_of_the_others(tmp_path):
    async with running(tmp_path, 1, 2) as made:
        made.write(1, 3, 2)
        await made.reloaded(1)
        configuration = made.reader.configuration
        assert configuration is not None
        assert [station.idcode for station in configuration.stations] == [1, 3, 2]
        assert {station.change_count for station in configuration.stations} == {1}
        made.write(2, 3)
        await made.reloaded(2)
        configuration = made.reader.configuration
        assert [station.idcode for station in configuration.stations] == [2, 3]
        assert {station.change_count for station in configuration.stations} == {2}
        assert connections(made.service) == {"pmu-2": 1, "pmu-3": 1}
        assert made.lost() == []
        frames = made.reader.frames
    by_size = {size: [frame for frame in frames if len(frame.pmus) == size] for size in (2, 3)}
    assert len(by_size[3]) >= 30
    # PMU 2 stood second, then third, then first, and was never absent.
    before, after = by_size[2], []
    while before and before[-1].pmus[0].phasors[0][0] == 2.0:
        after.append(before.pop())
    assert {frame.pmus[1].phasors[0][0] for frame in before} == {2.0}
    assert {frame.pmus[2].phasors[0][0] for frame in by_size[3]} == {2.0}
    assert len(after) >= 30
    # STAT bit 10 says so for a minute, of all PMUs.
    assert not any(pmu.stat.configuration_change for frame in before for pmu in frame.pmus)
    changed = [*by_size[3], *after]
    assert all(pmu.stat.configuration_change for frame in changed for pmu in frame.pmus)


async def test_another_format_is_announced_before_its_first_frame(tmp_path):
    async with running(tmp_path, 1, 2) as made:
        made.write(1, 2, format="int")
        await made.reloaded()
        assert made.lost() == []
        # A frame read with the wrong configuration would have ended the reader.
        last = made.reader.frames[-1]
        station = made.reader.configuration.stations[0]
        assert not station.format.float_phasors
        # One step of an integer voltage is 27 V.
        assert abs(c37118.read(station, last.pmus[0]).phasors[0]) < 27.3


async def test_lag_and_policies_change_without_a_new_configuration(tmp_path):
    async with running(tmp_path, 1, 2) as made:
        made.write(1, 2, lag_time_s=0.3, lead_time_s=0.4, wait="absolute", preemptive=False)
        await made.reloaded()
        assert made.lost() == []
        assert not made.reader.frames[-1].pmus[0].stat.configuration_change
        # From now on each frame leaves 0.3 s after its time stamp.
        total = made.service.concentrator.aligner.counts.total
        total.clear()
        await streams.soon(lambda: total.count > 30)
    assert total.minimum_s > 0.25


async def test_an_input_at_another_address_is_connected_again_and_the_others_are_not(tmp_path):
    async with running(tmp_path, 1, 2) as made:
        made.ports[1] = made.ports[2]
        made.write(1, 2)
        await made.reloaded()
        assert connections(made.service)["pmu-1"] == 1
        assert made.lost() == []
        assert made.reader.frames[-1].pmus[1].stat.data_error is ABSENT, "it is PMU 3's port"
        assert {frame.pmus[0].phasors[0][0] for frame in made.reader.frames} == {1.0}


@pytest.mark.parametrize("content", ["stream: 7\ninputs: []\n", "a: [", None])
async def test_what_cannot_be_read_changes_nothing_and_is_said_once(tmp_path, caplog, content):
    async with running(tmp_path, 1, 2) as made:
        good = made.path.read_text()
        if content is None:
            made.path.unlink()
        else:
            made.path.write_text(content)
        await streams.soon(lambda: made.service.watcher.failed)
        seen = len(made.reader.frames)
        await streams.soon(lambda: len(made.reader.frames) > seen + 20)
        assert made.lost() == []
        assert caplog.text.count("cannot read the file") == 1
        assert made.service.watcher.away
        made.path.write_text(good)
        await streams.soon(lambda: not made.service.watcher.away)
        assert "can be read again" in caplog.text


async def test_a_change_that_cannot_be_written_changes_nothing(tmp_path, caplog):
    async with running(tmp_path, 1, 2) as made:
        many = [[f"D{word}-{bit}" for bit in range(16)] for word in range(250)]
        made.write(1, 2, inputs={"digitals": many})
        await streams.soon(lambda: made.service.watcher.failed)
        seen = len(made.reader.frames)
        await streams.soon(lambda: len(made.reader.frames) > seen + 20)
        assert made.lost() == []
    assert "the change cannot be used, going on as before" in caplog.text


async def test_an_output_of_another_port_is_opened_there(tmp_path):
    async with running(tmp_path, 1, 2) as made:
        before, made.out = made.out, free_port()
        made.write(1, 2)
        await streams.soon(lambda: accepts(made.out))
        assert not accepts(before)
        again = Reader(made.out)
        await again.open()
        await streams.soon(lambda: len(again.frames) > 10)
        await again.close()


async def test_an_output_that_cannot_be_opened_goes_back_to_where_it_was(tmp_path, caplog):
    async with running(tmp_path, 1, 2) as made:
        with socket.socket() as taken:
            taken.bind((streams.HOST, 0))
            taken.listen()
            before, made.out = made.out, taken.getsockname()[1]
            made.write(1, 2)
            await streams.soon(lambda: made.service.watcher.failed)
        await streams.soon(lambda: accepts(before))
        again = Reader(before)
        await again.open()
        await streams.soon(lambda: len(again.frames) > 10)
        await again.close()
    assert "the change cannot be used, going on as before" in caplog.text


async def test_another_rate_starts_again_on_the_same_port(tmp_path):
    async with running(tmp_path, 1, 2) as made:
        made.write(1, 2, rate=25)
        await streams.soon(lambda: made.service.watcher.applied)
        await streams.soon(lambda: accepts(made.out))
        again = Reader(made.out)
        await again.open()
        await streams.soon(lambda: len(again.frames) > 10)
        assert again.configuration.data_rate == 25
        await again.close()


async def test_without_polling_it_is_read_when_it_is_told_to(tmp_path):
    async with running(tmp_path, 1, 2, poll_s=0.0) as made:
        made.write(1, 2, 3)
        seen = len(made.reader.frames)
        await streams.soon(lambda: len(made.reader.frames) > seen + 20)
        assert made.service.watcher.applied == 0
        made.service.watcher.reload()
        await made.reloaded()
        assert len(made.reader.frames[-1].pmus) == 3


async def test_a_copy_of_the_configuration_is_replaced_once_the_source_is_there(tmp_path, caplog):
    """As when the database is away at the start: the cache serves until it is back."""
    path = tmp_path / "grid.yml"
    made = Running(path, pmus(3))
    made.ports = [free_port()] * 3
    made.write(1)
    source = FileSource(path)
    copy: Topology = source.load()
    path.unlink()
    service = PdcService(
        copy, ServiceSettings(listen=streams.HOST, poll_s=0.05), source, known=False
    )
    await service.start()
    await streams.soon(lambda: "cannot read" in caplog.text)
    assert not service.watcher.known
    made.write(1, 2)
    await streams.soon(lambda: service.watcher.known)
    await streams.soon(lambda: len(service.concentrator.mappers) == 2)
    await service.close()


def test_sighup_makes_the_command_read_its_file(tmp_path):
    made = Running(tmp_path / "grid.yml", ())
    made.ports = [free_port()] * 3
    made.write(1)
    arguments = ["serve", "--topology", str(made.path), "--poll", "0"]
    with streams.Process("grid.pdc", *arguments) as process:
        assert process.process.stderr is not None
        assert "no stream (attempt 1)" in process.process.stderr.readline()
        made.write(1, 2)
        os.kill(process.process.pid, 1)
        lines = [process.process.stderr.readline() for _ in range(2)]
        code, _, rest = process.terminate()
    assert code == 0
    assert "+ input pmu-2" in "".join(lines) + rest
