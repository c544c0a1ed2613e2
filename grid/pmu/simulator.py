"""The simulator: a line's measurements, paced by the wall clock, served on TCP."""

import logging
import time
from dataclasses import dataclass, field, replace

from grid.c37118 import (
    QUALITY_UNKNOWN,
    UNRELIABLE,
    Command,
    Configuration,
    DataCodec,
    DataFrame,
    Format,
    FrameType,
    HeaderFrame,
    PhasorUnit,
    Stamp,
    Stat,
    Station,
    TimeQuality,
    unit_factor,
    write,
)
from grid.pacing import Pacer
from grid.pmu import signal
from grid.server import StreamServer
from grid.slots import Slots

_LOG = logging.getLogger(__name__)

TIME_BASE = 1_000_000
_HEADROOM = 2.0
"""Integer phasors can show this many times the nominal value."""

UNKNOWN_CLOCK = TimeQuality(code=UNRELIABLE)
"""A computer's clock is not traceable to UTC as far as this program knows, and it says so."""
UNKNOWN_SYNC = Stat(synchronized=False, time_quality=QUALITY_UNKNOWN, unlocked=3)
"""STAT to the same effect."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one simulated PMU is."""

    idcode: int
    """IDCODE of the stream and of the PMU, 1..65534."""
    name: str
    """Station name, at most 16 characters."""
    rate: int = 50
    """Frames a second; below 0 seconds a frame."""
    nominal_hz: int = 50
    """50 or 60."""
    format: Format = field(default_factory=Format)
    """How the numbers are written."""
    seed: int = 1
    """PMUs with one seed see one grid."""


class Simulator:
    """One PMU; open it, start it, and it serves until it is closed."""

    def __init__(self, settings: Settings) -> None:
        now = Stamp.from_ns(time.time_ns(), TIME_BASE, UNKNOWN_CLOCK)
        self.configuration = Configuration(
            idcode=settings.idcode,
            stamp=now,
            time_base=TIME_BASE,
            stations=(_station(settings),),
            data_rate=settings.rate,
        )
        """The stream's CFG-2; its stamp is that of the start."""
        self._codec = DataCodec(self.configuration)
        self._slots = Slots(settings.rate)
        self._line = signal.Line(
            nominal_hz=settings.nominal_hz, seed=settings.seed, place=settings.idcode
        )
        self._settings = settings
        self.server = StreamServer(idcode=settings.idcode, answer=self._answer, name=settings.name)
        """Whom the stream goes to."""
        self.pacer = Pacer(self._slots, self._emit)
        """When frames leave."""
        # A frame that cannot be written should stop the start, not the first second.
        self.frame(self._slots.nearest(time.time_ns()))
        self.configuration.encode()

    async def open(self, listen: str | None, port: int) -> None:
        """Listen, and start the frames; OSError where the address cannot be had."""
        await self.server.bind(listen, port)
        addresses = await self.server.accept()
        _LOG.info(
            "%s: IDCODE %d, %g frames/s, listening on %s",
            self._settings.name,
            self._settings.idcode,
            self.configuration.frames_per_second,
            addresses,
        )
        self.pacer.start()

    async def close(self) -> None:
        """Stop the frames and end all connections."""
        self.pacer.stop()
        await self.server.close()

    def frame(self, slot: int) -> bytes:
        """Return the data frame of a slot."""
        ns = self._slots.time_ns(slot)
        data = DataFrame(
            idcode=self._settings.idcode,
            stamp=Stamp.from_ns(ns, TIME_BASE, UNKNOWN_CLOCK),
            pmus=(write(self.configuration.stations[0], self._line.at(ns, UNKNOWN_SYNC)),),
        )
        return self._codec.encode(data)

    def _emit(self, slot: int) -> None:
        # Without a receiver there is nothing to compute.
        if any(client.on for client in self.server.clients):
            self.server.publish(self.frame(slot))

    def _answer(self, command: int) -> bytes | None:
        now = Stamp.from_ns(time.time_ns(), TIME_BASE, UNKNOWN_CLOCK)
        if command == Command.SEND_CFG2:
            return replace(self.configuration, stamp=now).encode()
        if command == Command.SEND_CFG1:
            return replace(self.configuration, stamp=now, type=FrameType.CFG1).encode()
        if command == Command.SEND_HEADER:
            text = (
                f"{self._settings.name}: simulated PMU, seed {self._settings.seed}; "
                "clock not traceable to UTC"
            )
            return HeaderFrame(idcode=self._settings.idcode, stamp=now, text=text).encode()
        return None


def _station(settings: Settings) -> Station:
    volt = unit_factor(_HEADROOM * signal.VOLTAGE_V)
    ampere = unit_factor(_HEADROOM * signal.CURRENT_A)
    units = tuple(
        PhasorUnit(kind=0, factor=volt) if name[0] == "V" else PhasorUnit(kind=1, factor=ampere)
        for name in signal.CHANNELS
    )
    return Station(
        name=settings.name,
        idcode=settings.idcode,
        format=settings.format,
        phasors=signal.CHANNELS,
        phasor_units=units,
        fnom=1 if settings.nominal_hz == 50 else 0,
    )
