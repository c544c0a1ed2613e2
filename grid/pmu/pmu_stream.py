"""One PMU's stream as a pure function of time: its configuration, its data frames."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grid.c37118 import (
    VERSION_2011,
    Configuration,
    Configuration3,
    Stamp,
    standard_answer,
)
from grid.c37118.frames.scale import COMPONENTS, CURRENT
from grid.documents.channels import DIGITALS_A_WORD, Phasor
from grid.pmu.clock import Clock, ClockState
from grid.pmu.frame_writer import FrameWriter
from grid.pmu.scenario.model import SimulatedPmu
from grid.pmu.scenario.pmu_channels import PmuChannels
from grid.pmu.scenario.pmu_faults import PmuFaults
from grid.pmu.signals.signal import Noise, Signal
from grid.timing.slots import Slots

_BEFORE = VERSION_2011
"""In C37.118.2-2011 STAT bit 10 advises that the configuration will change, for 1 min, and is
cleared when it does; in C37.118-2005 it says for 1 min that it did."""


@dataclass(frozen=True, kw_only=True)
class _Edition:
    """The stream as configured at one time."""

    channels: PmuChannels
    configuration: Configuration
    writer: FrameWriter


class PmuStream:
    """One PMU's frames and answers; FrameError where it cannot be written as C37.118."""

    def __init__(
        self, pmu: SimulatedPmu, *, signal: Signal, noise: Noise, clock: Clock, faults: PmuFaults
    ) -> None:
        self.name = pmu.name
        """How the log calls it."""
        self.idcode = pmu.idcode
        """The stream's id."""
        self.slots = Slots(pmu.rate)
        """Its reporting times."""
        self.data_rate = pmu.rate
        """Above 0 frames a second, below 0 seconds a frame."""
        self._pmu = pmu
        self._signal = signal
        self._noise = noise
        self._clock = clock
        self._faults = faults
        self._editions: dict[tuple[tuple[str, ...] | None, int], _Edition] = {}
        # What cannot be written should stop the start, not a frame in the middle of a run.
        now = time.time_ns()
        for change in (None, *(change.phasors for change in faults.changes)):
            self._edition(change, 0).configuration.encode()
        self.frame(self.slots.nearest(now))

    def configuration(self, ns: int) -> Configuration:
        """Return the CFG-2 of a time, in ns since 1970-01-01 UTC."""
        return replace(self._at(ns).configuration, stamp=self._stamp(ns, self._clock_state(ns)))

    def frame(self, slot: int) -> bytes:
        """Return the data frame of a reporting time; empty where none is sent."""
        ns = self.slots.time_ns(slot)
        faults = self._faults
        if not faults.none and any(silence.span.covers(ns) for silence in faults.silences):
            return b""
        edition = self._at(ns)
        sample = self._signal.at(ns)
        quantities = sample.phasors
        if not self._noise.silent:
            factors = self._noise.at(ns, self.idcode)
            quantities = [one * other for one, other in zip(quantities, factors, strict=True)]
        clock_state = self._clock_state(ns)
        channels = edition.channels
        frame = edition.writer.frame(
            ns + sum(stamp.offset_ns for stamp in faults.stamps if stamp.span.covers(ns)),
            clock_state,
            self._stat(ns, clock_state),
            channels.phasors_of(quantities),
            sample.deviation_hz,
            sample.rocof_hz_s,
            channels.analogs_of(quantities) if channels.analogs else (),
            self._digitals(channels.station.digitals, ns) if channels.station.digitals else (),
        )
        if any(crc.spoils(slot, ns) for crc in faults.crcs):
            frame = frame[:-1] + bytes([frame[-1] ^ 0xFF])
        return frame

    def edition(self, slot: int) -> int:
        """Return a number that changes with the configuration (CFGCNT)."""
        ns = self.slots.time_ns(slot)
        return sum(change.span.edges(ns) for change in self._faults.changes)

    def answer(self, command: int) -> bytes | tuple[bytes, ...] | None:
        """Return the frame or frames that answer a command, None where there is no answer."""
        now = time.time_ns()
        configuration = self.configuration(now)
        newer = self._pmu.version >= VERSION_2011
        return standard_answer(
            command,
            configuration,
            header=self._pmu.header or f"{self.name}: a simulated PMU",
            details=(lambda: self._configuration3(now, configuration)) if newer else None,
        )

    def _configuration3(self, ns: int, configuration: Configuration) -> Configuration3:
        """Return the CFG-3 that says the same, and what each phasor is."""
        whole = Configuration3.of(configuration)
        channels = self._at(ns).channels
        (station,) = whole.stations
        units = tuple(
            replace(unit, kind=_kind(phasor))
            for unit, phasor in zip(station.phasor_units, channels.phasors, strict=True)
        )
        return replace(whole, stations=(replace(station, phasor_units=units),))

    def _at(self, ns: int) -> _Edition:
        """Return the edition of a time."""
        changes = self._faults.changes
        if not changes:
            return self._edition(None, 0)
        chosen = None
        for change in changes:
            if change.span.covers(ns):
                chosen = change.phasors
        return self._edition(chosen, sum(change.span.edges(ns) for change in changes) & 0xFFFF)

    def _edition(self, phasors: tuple[str, ...] | None, count: int) -> _Edition:
        found = self._editions.get((phasors, count))
        if found is None:
            channels = self._pmu.channels if phasors is None else self._pmu.channels.only(phasors)
            counted = (channels.station.change_count + count) & 0xFFFF
            channels = replace(channels, station=replace(channels.station, change_count=counted))
            now = time.time_ns()
            configuration = Configuration(
                idcode=self.idcode,
                stamp=self._stamp(now, self._clock.state(now)),
                time_base=self._pmu.time_base,
                stations=(channels.station,),
                data_rate=self._pmu.rate,
                version=self._pmu.version,
            )
            found = _Edition(
                channels=channels, configuration=configuration, writer=FrameWriter(configuration)
            )
            # Only the newest are needed again.
            if len(self._editions) > len(self._faults.changes) + 1:
                self._editions.clear()
            self._editions[phasors, count] = found
        return found

    def _clock_state(self, ns: int) -> ClockState:
        clock_state = self._clock.state(ns)
        for loss in self._faults.clock_losses:
            clock_state = loss.state(clock_state, ns)
        return clock_state

    def _stat(self, ns: int, clock_state: ClockState) -> int:
        if self._faults.none:
            return clock_state.stat_word
        stat = clock_state.stat
        for flags in self._faults.flags:
            stat = flags.mark(stat, ns)
        before = self._pmu.version == _BEFORE
        if any(change.flagged(ns, before=before) for change in self._faults.changes):
            stat = replace(stat, configuration_change=True)
        return stat.to_word()

    def _stamp(self, ns: int, clock_state: ClockState) -> Stamp:
        return Stamp.from_ns(ns, self._pmu.time_base, clock_state.quality)

    def _digitals(self, names: Sequence[str], ns: int) -> tuple[int, ...]:
        """Return the digital words; the first name of each word is bit 0."""
        on = [digital.inputs for digital in self._faults.digitals if digital.span.covers(ns)]
        words = [0] * (len(names) // DIGITALS_A_WORD)
        for place, name in enumerate(names):
            if name and any(name in inputs for inputs in on):
                words[place // DIGITALS_A_WORD] |= 1 << place % DIGITALS_A_WORD
        return tuple(words)


def _kind(phasor: Phasor) -> int:
    """Return the type byte of CFG-3: voltage or current, and which component."""
    return (CURRENT if phasor.type == "I" else 0) | COMPONENTS[phasor.phase]
