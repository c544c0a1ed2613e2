"""The concentrator: inputs, alignment, output."""

import asyncio
import logging
import math
import time

from grid.c37118 import Configuration
from grid.pdc import block_mapping
from grid.pdc.alignment.aligner import Aligner
from grid.pdc.alignment.output_format import OutputFormat
from grid.pdc.alignment.slot_finder import SlotFinder
from grid.pdc.input_mapper import InputMapper
from grid.pdc.outputs.output_publisher import OutputPublisher, stamp
from grid.pdc.topology.model import Downsampling, InputStream, Topology
from grid.timing.slots import Slots
from service import run

_LOG = logging.getLogger(__name__)

START_WAIT_S = 2.0
"""After the first input told its configuration, the others have this long to tell theirs
before the output opens without them."""
_MOST_SLOT_FINDERS = 64


class Concentrator:
    """Receives, aligns and sends what a topology says."""

    def __init__(self, topology: Topology) -> None:
        stream = topology.stream
        self.topology = topology
        """What it does now."""
        self.mappers: list[InputMapper] = []
        """The inputs, one mapper each."""
        self._changes = 0
        self._format = self._format_of(topology)
        self._closest = stream.downsampling is Downsampling.CLOSEST
        self.aligner = Aligner(
            stream.wait, self._format, slots_per_s=stream.rate, closest=self._closest
        )
        """What was aligned so far."""
        self.output = OutputPublisher(topology, self._format)
        """Publishes the rows."""
        self._slots = Slots(stream.rate)
        self._slot_finders: dict[tuple[int, int], SlotFinder] = {}
        self._receiving: dict[InputMapper, asyncio.Task[None]] = {}
        self._accepting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._opening: asyncio.TimerHandle | None = None

    async def start(self, listen: str | None = None, port: int | None = None) -> None:
        """Take the output's port and connect the inputs; OSError where the port is taken.

        `listen` and `port` replace what the topology says. The port refuses connections
        until the inputs' configurations are known.
        """
        await self.output.bind(listen, port)
        for input_stream in self.topology.inputs:
            self._connect(input_stream)

    async def close(self) -> None:
        """Disconnect the inputs and end all connections of the output."""
        for timer in (self._timer, self._opening):
            if timer is not None:
                timer.cancel()
        tasks = [*self._receiving.values()]
        if self._accepting is not None:
            tasks.append(self._accepting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.output.close()

    @property
    def changes(self) -> int:
        """How often the output's CFG-2 changed."""
        return self._changes

    @property
    def configuration(self) -> Configuration:
        """The output's CFG-2, as it is sent now."""
        return self.output.configuration

    def can_become(self, topology: Topology) -> bool:
        """Tell whether apply() can do it: the output keeps its address, id and rate."""
        return _identity(topology) == _identity(self.topology)

    def apply(self, topology: Topology) -> None:
        """Do from now on what another topology says, whose output has the same address.

        Inputs that stay keep their connections, and clients of the output keep theirs. If
        the output's PMUs or formats change, rows of which something has come already leave
        in the old format; a CFG-2 goes before the first frame of the new one, with CFGCNT
        one higher, and STAT bit 10 is set for a minute. FrameError, and no change, where
        the output cannot be written as C37.118.
        """
        before, output_format = self.topology, self._format
        if (_output(topology), topology.pmus) != (_output(before), before.pmus):
            self._changes += 1
            output_format = self._format_of(topology)
            self.aligner.switch(output_format)
        self.aligner.wait(topology.stream.wait)
        self.topology, self._format = topology, output_format
        self.output.topology = topology
        wanted = {_connection(input_stream): input_stream for input_stream in topology.inputs}
        for mapper in tuple(self.mappers):
            input_stream = wanted.pop(_connection(mapper.input_stream), None)
            if input_stream is None:
                self._disconnect(mapper)
            else:
                mapper.use_format(input_stream, output_format, topology.stream.bad_time)
        for input_stream in wanted.values():
            self._connect(input_stream)
        if self._opening is not None:
            self.configured()  # The one that was waited for may be gone.

    def slot_finder(self, configuration: Configuration) -> SlotFinder:
        """Return the slot finder for an input of this configuration."""
        key = configuration.time_base, configuration.data_rate
        if key not in self._slot_finders:
            if len(self._slot_finders) >= _MOST_SLOT_FINDERS:
                self._slot_finders.clear()  # Some sender tells ever new configurations.
            rate = self.topology.stream.rate
            self._slot_finders[key] = SlotFinder(
                configuration, self._slots, rate, closest=self._closest
            )
        return self._slot_finders[key]

    def configured(self) -> None:
        """Take note that an input told its configuration, and open the output in time."""
        if self._accepting is not None:
            return
        if all(mapper.configuration is not None for mapper in self.mappers):
            self._open_output()
        elif self._opening is None:
            loop = asyncio.get_running_loop()
            self._opening = loop.call_later(START_WAIT_S, self._open_output)

    def arrived(self, now_s: float) -> None:
        """Send what is complete after a frame came, at this monotonic time."""
        aligner = self.aligner
        if aligner.complete:
            self._flush(now_s)
        elif self._timer is None or aligner.next_s < self._timer_s:
            self._arm()

    def lost(self, mapper: InputMapper) -> None:
        """Wait for an input no longer."""
        self.aligner.lost(mapper.aligned)
        self._flush(time.monotonic())

    def _flush(self, now_s: float) -> None:
        """Send what is to be sent."""
        for row in self.aligner.ready(now_s):
            self.output.send(row, self._slots.time_ns(row.slot), self.aligner.counts)
        if self._timer is None or self.aligner.next_s < self._timer_s:
            self._arm()

    def _arm(self) -> None:
        """Set the timer to the next deadline; one that rings too early costs little."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.aligner.next_s < math.inf:
            self._timer_s = self.aligner.next_s
            self._timer = asyncio.get_running_loop().call_at(self._timer_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._flush(time.monotonic())

    def _format_of(self, topology: Topology) -> OutputFormat:
        stream = topology.stream
        return OutputFormat(
            idcode=stream.idcode,
            stations=[
                block_mapping.output_station(pmu, stream, self._changes) for pmu in topology.pmus
            ],
            rate=stream.rate,
            stamp=stamp(),
        )

    def _connect(self, input_stream: InputStream) -> None:
        mapper = InputMapper(self, input_stream, self._format, self.topology.stream.bad_time)
        self.mappers.append(mapper)
        task = asyncio.ensure_future(mapper.receiver.run())
        task.add_done_callback(run.reraise)
        self._receiving[mapper] = task

    def _disconnect(self, mapper: InputMapper) -> None:
        self._receiving.pop(mapper).cancel()
        self.mappers.remove(mapper)
        self.lost(mapper)

    def _open_output(self) -> None:
        if self._accepting is None:
            self._accepting = asyncio.ensure_future(self._accept())
            self._accepting.add_done_callback(run.reraise)

    async def _accept(self) -> None:
        addresses = await self.output.accept()
        waiting = [
            mapper.input_stream.name for mapper in self.mappers if mapper.configuration is None
        ]
        _LOG.info(
            "%s: IDCODE %d, %d PMUs at %d frames/s, listening on %s%s",
            self.topology.stream.name,
            self.topology.stream.idcode,
            len(self.topology.pmus),
            self.topology.stream.rate,
            addresses,
            f"; still without input {', '.join(waiting)}" if waiting else "",
        )


def _identity(topology: Topology) -> tuple[object, ...]:
    """Return what an output keeps for as long as it lives."""
    stream = topology.stream
    return (
        stream.name,
        stream.idcode,
        stream.address,
        stream.destinations,
        stream.rate,
        stream.downsampling,
        topology.mqtt,
    )


def _output(topology: Topology) -> tuple[object, ...]:
    """Return what the output's CFG-2 depends on, besides the PMUs."""
    stream = topology.stream
    return stream.float_format, stream.polar, stream.nominal_hz


def _connection(input_stream: InputStream) -> tuple[object, ...]:
    """Return what an input's connection depends on; a change of it means another connection."""
    return input_stream.address, input_stream.idcode, input_stream.silence_s, input_stream.retry_s
