"""The PDC itself: inputs, alignment, output."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import replace

from grid import run
from grid.c37118 import (
    UNRELIABLE,
    BlockCodec,
    Command,
    Configuration,
    DataCodec,
    FrameType,
    HeaderFrame,
    Stamp,
    TimeQuality,
    absent,
)
from grid.pdc import mapping
from grid.pdc.aligner import Aligner, Row
from grid.pdc.link import Link
from grid.pdc.topology import Topology
from grid.server import StreamServer
from grid.slots import Slots

_LOG = logging.getLogger(__name__)

TIME_BASE = 1_000_000
START_WAIT_S = 2.0
"""After the first input told its configuration, the others have this long to tell theirs
before the output opens without them."""
_OFF_SLOT = 0.25
"""A frame further from a reporting time than this part of a period is not taken."""
_REPORT_S = 60.0
_UNKNOWN = TimeQuality(code=UNRELIABLE)


class Concentrator:
    """Receives, aligns and sends what a topology says."""

    def __init__(self, topology: Topology) -> None:
        stream = topology.stream
        stations = tuple(mapping.output_station(pmu, stream) for pmu in topology.pmus)
        self.configuration = Configuration(
            idcode=stream.idcode,
            stamp=_now(),
            time_base=TIME_BASE,
            stations=stations,
            data_rate=stream.rate,
        )
        """The output's CFG-2. It comes from the topology alone, so no input can change it."""
        self._topology = topology
        self._codec = DataCodec(self.configuration)
        self._slots = Slots(stream.rate)
        self._stations = {station.idcode: station for station in stations}
        self._absent = {
            station.idcode: BlockCodec(station).encode(absent(station)) for station in stations
        }
        self.aligner = Aligner(
            pmus=frozenset(self._stations), lag_s=stream.lag_time_s, slots_per_s=stream.rate
        )
        """What was aligned so far."""
        self.server = StreamServer(idcode=stream.idcode, answer=self._answer, name=stream.name)
        """Whom the output goes to."""
        self._links = [
            Link(self, index, source, stations) for index, source in enumerate(topology.inputs)
        ]
        self._configured: set[int] = set()
        self._off_slot = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._opening: asyncio.TimerHandle | None = None
        self._open = False

    async def start(self, listen: str | None, port: int) -> None:
        """Take the output's port and connect the inputs; OSError where the port is taken.

        The port refuses connections until the inputs' configurations are known.
        """
        await self.server.bind(listen, port)
        for link in self._links:
            self._run(link.receiver.run())
        self._run(self._report())

    async def close(self) -> None:
        """Disconnect the inputs and end all connections of the output."""
        for timer in (self._timer, self._opening):
            if timer is not None:
                timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.server.close()

    def configured(self, index: int) -> None:
        """Take note that an input told its configuration, and open the output in time."""
        self._configured.add(index)
        if self._open:
            return
        if len(self._configured) == len(self._links):
            self._open_output()
        elif self._opening is None:
            loop = asyncio.get_running_loop()
            self._opening = loop.call_later(START_WAIT_S, self._open_output)

    def take(self, index: int, stamp: Stamp, time_base: int, blocks: dict[int, bytes]) -> None:
        """Align one input's frame, and send what is complete."""
        ns = stamp.ns(time_base)
        slot = self._slots.nearest(ns)
        if abs(ns - self._slots.time_ns(slot)) > _OFF_SLOT * self._slots.period_ns:
            self._off_slot += 1
            return
        now_s = asyncio.get_running_loop().time()
        wall_slot = self._slots.nearest(time.time_ns())
        self.aligner.put(index, slot, stamp.quality, blocks, now_s=now_s, wall_slot=wall_slot)
        self._flush()

    def lost(self, index: int) -> None:
        """Wait for an input no longer."""
        self.aligner.lost(index)
        self._flush()

    def _flush(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for row in self.aligner.ready(now_s):
            self.server.publish(self._frame(row))
        deadline_s = self.aligner.deadline_s()
        if deadline_s is None:
            return
        # A timer that rings too early costs less than setting it anew for each frame.
        if self._timer is None or deadline_s < self._timer_s:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_s = deadline_s
            self._timer = asyncio.get_running_loop().call_at(deadline_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._flush()

    def _frame(self, row: Row) -> bytes:
        stamp = Stamp.from_ns(self._slots.time_ns(row.slot), TIME_BASE, row.quality)
        blocks = [
            row.blocks.get(station.idcode) or self._absent[station.idcode]
            for station in self.configuration.stations
        ]
        return self._codec.join(stamp, blocks)

    def _answer(self, command: int) -> bytes | None:
        if command == Command.SEND_CFG2:
            return replace(self.configuration, stamp=_now()).encode()
        if command == Command.SEND_CFG1:
            return replace(self.configuration, stamp=_now(), type=FrameType.CFG1).encode()
        if command == Command.SEND_HEADER:
            stream = self._topology.stream
            text = f"{stream.name}: PDC, lag time {stream.lag_time_s:g} s, inputs " + ", ".join(
                source.name for source in self._topology.inputs
            )
            return HeaderFrame(idcode=stream.idcode, stamp=_now(), text=text).encode()
        return None

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(run.reraise)
        self._tasks.append(task)

    def _open_output(self) -> None:
        if not self._open:
            self._open = True
            self._run(self._accept())

    async def _accept(self) -> None:
        addresses = await self.server.accept()
        waiting = [link.source.name for link in self._links if link.index not in self._configured]
        _LOG.info(
            "%s: IDCODE %d, %d PMUs at %d frames/s, listening on %s%s",
            self._topology.stream.name,
            self.configuration.idcode,
            len(self._stations),
            self._topology.stream.rate,
            addresses,
            f"; still without input {', '.join(waiting)}" if waiting else "",
        )

    async def _report(self) -> None:
        """Say each minute what went through."""
        before = 0
        while True:
            await asyncio.sleep(_REPORT_S)
            counts = self.aligner.counts
            gone = {self._stations[pmu].name: count for pmu, count in sorted(counts.absent.items())}
            _LOG.info(
                "%s: %d frames in the last %g s; since the start %d, incomplete %d, late %d, "
                "duplicate %d, wrong time %d, between slots %d, absent %s; %d clients",
                self._topology.stream.name,
                counts.published - before,
                _REPORT_S,
                counts.published,
                counts.incomplete,
                counts.late,
                counts.duplicate,
                counts.wrong_time,
                self._off_slot,
                gone or "none",
                len(self.server.clients),
            )
            before = counts.published


def _now() -> Stamp:
    return Stamp.from_ns(time.time_ns(), TIME_BASE, _UNKNOWN)
