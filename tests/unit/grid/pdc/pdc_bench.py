"""A PDC between senders that the test feeds and a client that reads, on ports of its own."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import stream_fixtures as streams

from grid import c37118
from grid.documents.channels import Phasor
from grid.pdc.concentrator import Concentrator
from grid.pdc.topology.model import InputStream, MqttBroker, OutputStream, Pmu, Topology
from grid.transport.address import Address
from tests.ports import free_port

PHASORS = (
    Phasor(label="VA", type="V", phase="A"),
    Phasor(label="IA", type="I", phase="A"),
)


def now() -> int:
    """Return the slot of about now; the PDC takes no other time for its first frame."""
    return round(time.time() * streams.RATE)


def pmu_input(idcode: int, port: int, *, silence_s: float = 30.0) -> InputStream:
    pmu = Pmu(name=f"pmu-{idcode}", idcode=idcode, phasors=PHASORS)
    return InputStream(
        name=pmu.name,
        address=Address(host=streams.HOST, port=port),
        idcode=idcode,
        pmus=(pmu,),
        concentrator=False,
        silence_s=silence_s,
        retry_s=0.3,
    )


class Reader:
    """A client of the PDC's output."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.frames: list[c37118.DataFrame] = []
        self.configuration: c37118.Configuration | None = None
        self.raw: list[tuple[bool, bytes]] = []
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(streams.HOST, self.port)
        self._task = asyncio.ensure_future(self._read())
        for command in (c37118.Command.SEND_CFG2, c37118.Command.DATA_ON):
            frame = c37118.CommandFrame.now(command, idcode=10).encode()
            self._writer.write(frame)
            self.raw.append((False, frame))
        await streams.soon(lambda: self.configuration)

    async def _read(self) -> None:
        reassembler, codec = c37118.Reassembler(), None
        while received := await self._reader.read(65536):
            self.raw.append((True, received))
            for frame in reassembler.feed(received):
                if c37118.frame_type(frame) is c37118.FrameType.DATA:
                    assert codec is not None
                    self.frames.append(codec.decode(frame))
                else:
                    self.configuration = c37118.Configuration.decode(frame)
                    codec = c37118.DataCodec(self.configuration)

    async def close(self) -> None:
        self._writer.close()
        assert self._task is not None
        self._task.cancel()

    def slots(self) -> list[int]:
        return [round(frame.stamp.ns(1_000_000) * streams.RATE / 1e9) for frame in self.frames]


class Bench:
    """Senders, the PDC and a reader."""

    def __init__(self, senders: Sequence[streams.Sender]) -> None:
        self.senders = senders
        self.pdc: Concentrator
        self.reader: Reader

    def send(self, slot: int, *values: float | None) -> None:
        """Let each sender send its value; None: it sends nothing."""
        for sender, value in zip(self.senders, values, strict=True):
            if value is not None:
                sender.send(slot, value)

    async def prime(self) -> int:
        """Send until every sender's frames are waited for; return the next slot."""
        slot = now()
        while not self.reader.frames or not self._waits_for_all():
            self.send(slot, *[0.5] * len(self.senders))
            slot += 1
            await asyncio.sleep(0.01)
        await streams.soon(lambda: self.reader.slots()[-1] == slot - 1)
        return slot

    def _waits_for_all(self) -> bool:
        aligner = self.pdc.aligner
        return len(aligner._live) == len(self.senders) and not aligner._rows


@asynccontextmanager
async def bench(
    *senders: streams.Sender,
    stream: OutputStream | None = None,
    inputs: Callable[[list[int]], tuple[InputStream, ...]] | None = None,
    silence_s: float = 30.0,
    mqtt: MqttBroker | None = None,
) -> AsyncIterator[Bench]:
    ports = [await sender.open() for sender in senders]
    inputs_made = (
        inputs(ports)
        if inputs
        else tuple(
            pmu_input(index, port, silence_s=silence_s) for index, port in enumerate(ports, 1)
        )
    )
    stream = stream or OutputStream(name="pdc", idcode=10, rate=streams.RATE, lag_time_s=0.2)
    made = Bench(senders)
    made.pdc = Concentrator(Topology(node="n", stream=stream, inputs=inputs_made, mqtt=mqtt))
    port = free_port()
    await made.pdc.start(streams.HOST, port)
    try:
        await streams.soon(lambda: all(sender.receivers for sender in senders))
        await streams.soon(lambda: accepts(port))
        made.reader = Reader(port)
        await made.reader.open()
        yield made
        await made.reader.close()
    finally:
        await made.pdc.close()
        for sender in senders:
            await sender.server.close()


def accepts(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((streams.HOST, port)) == 0


def pmus(count: int) -> list[streams.Sender]:
    return [streams.Sender(idcode, [streams.station(idcode)]) for idcode in range(1, count + 1)]
