"""Publishes the output stream: its data frames, and the answers to commands."""

import time
from dataclasses import replace

from grid.c37118 import (
    UNRELIABLE,
    Configuration,
    Stamp,
    TimeQuality,
    standard_answer,
)
from grid.pdc.alignment.aligner import Row
from grid.pdc.alignment.counts import OutputCounts
from grid.pdc.alignment.output_format import TIME_BASE, OutputFormat
from grid.pdc.outputs.mqtt_output import MqttOutput
from grid.pdc.topology.model import Topology
from grid.transport.server import BUFFER, StreamServer

_CHANGE_S = 60.0
"""How long STAT bit 10 is set after a change of the configuration (6.3, table 7)."""
_UNKNOWN = TimeQuality(code=UNRELIABLE)


class OutputPublisher:
    """Sends rows to clients, spontaneous destinations and the MQTT broker."""

    def __init__(self, topology: Topology, output_format: OutputFormat) -> None:
        stream = topology.stream
        self.topology = topology
        """The topology that the header frame describes."""
        self.server = StreamServer(
            idcode=stream.idcode,
            answer=self._answer,
            name=stream.name,
            # A client may fall a second behind, however large the frames are.
            buffer=max(BUFFER, output_format.size * stream.rate),
        )
        """The clients and destinations of the C37.118 stream."""
        self.mqtt = MqttOutput(topology.mqtt, stream.name) if topology.mqtt else None
        """The broker that gets the frames too."""
        self.open = False
        """Whether clients are accepted."""
        self._format = output_format
        self._changed_s: float | None = None

    @property
    def configuration(self) -> Configuration:
        """The CFG-2 of the frames that are sent now."""
        return self._format.configuration

    async def bind(self, listen: str | None, port: int | None) -> None:
        """Take the addresses; connections are still refused. OSError where one is taken.

        `listen` and `port` replace what the topology says.
        """
        stream = self.topology.stream
        address = replace(
            stream.address,
            host=stream.address.host if listen is None else listen,
            port=stream.address.port if port is None else port,
        )
        for place in (address, *stream.destinations):
            await self.server.attach(place)
        if self.mqtt is not None:
            self.mqtt.start()

    async def accept(self) -> str:
        """Accept clients from now on; return the addresses, for the log."""
        addresses = await self.server.accept()
        self.open = True
        return addresses

    async def close(self) -> None:
        """End all connections."""
        if self.mqtt is not None:
            self.mqtt.close()
        await self.server.close()

    def send(self, row: Row, ns: int, counts: OutputCounts) -> None:
        """Send a row, whose time stamp is `ns` nanoseconds since 1970-01-01 UTC.

        Before the first row of another format all receivers get its CFG-2.
        """
        now_s = time.monotonic()
        if row.format is not self._format:
            self._format, self._changed_s = row.format, now_s
            self.server.announce()
        changed = self._changed_s is not None and now_s - self._changed_s < _CHANGE_S
        frame = row.format.finish(row.frame, ns, row.quality, changed=changed)
        self.server.publish(frame)
        if self.open:  # Before, there are no clients.
            if now_s < row.deadline_s:
                counts.alignment.add(time.monotonic() - row.last_s)
            counts.total.add((time.time_ns() - ns) * 1e-9)
        if self.mqtt is not None:
            self.mqtt.publish(row.format.configuration, frame)

    def _answer(self, command: int) -> bytes | tuple[bytes, ...] | None:
        stream = self.topology.stream
        inputs = ", ".join(input_stream.name for input_stream in self.topology.inputs)
        return standard_answer(
            command,
            replace(self._format.configuration, stamp=stamp()),
            header=f"{stream.name}: PDC, lag time {stream.lag_time_s:g} s, inputs {inputs}",
        )


def stamp() -> Stamp:
    """Return the time now, by a clock whose quality is unknown."""
    return Stamp.from_ns(time.time_ns(), TIME_BASE, _UNKNOWN)
