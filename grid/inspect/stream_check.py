"""Checks one stream: its configuration, its status words, its values."""

import math
from collections import Counter

from grid.c37118 import (
    Configuration,
    Configuration3,
    DataCodec,
    DataError,
    DataFrame,
    FrameType,
    Measurement,
    Stat,
    Station,
    Station3,
    read,
)
from grid.inspect.findings import FindingKind, StreamReport
from grid.inspect.observed_frame import ObservedFrame
from grid.inspect.text import clock, status
from grid.inspect.timestamp_check import TimestampCheck

_RESERVED_IDS = (0, 0xFFFF)


class StreamCheck:
    """Takes the frames of one stream, and reports what is wrong with them."""

    def __init__(self, stream: str) -> None:
        self._report = StreamReport(stream=stream)
        self._configuration: Configuration | None = None
        self._times: TimestampCheck | None = None
        self._clocks: Counter[str] = Counter()
        self._status: Counter[tuple[str, Stat]] = Counter()
        self._valueless: Counter[str] = Counter()
        self._problems: Counter[tuple[FindingKind, str]] = Counter()
        self.frames = 0
        """Data frames that could be read."""

    @property
    def problems(self) -> bool:
        """Whether there were frames that could not be read."""
        return bool(self._problems)

    def take(self, observed: ObservedFrame) -> None:
        """Take one frame."""
        if isinstance(observed.frame, DataFrame):
            assert observed.codec is not None  # noqa: S101 - else it could not be read
            self._data(observed.frame, observed.codec, observed.t_ns)
        elif isinstance(observed.frame, Configuration) and observed.type is FrameType.CFG2:
            self._configured(observed.frame)
        elif isinstance(observed.frame, Configuration3):
            self._details(observed.frame)
        elif observed.frame is None:
            kind = FindingKind.GARBAGE
            if observed.type in (FrameType.DATA, FrameType.CFG1, FrameType.CFG2, FrameType.CFG3):
                kind = FindingKind.CONFIGURATION
            self._problems[
                kind, f"{observed.type.name} frames cannot be read: {observed.problem}"
            ] += 1

    def report(self) -> StreamReport:
        """Return what was found, once all frames were seen."""
        report = self._report
        report.facts.append(f"{self.frames} data frames")
        for (kind, what), count in self._problems.items():
            report.add(kind, f"{count} {what}")
        if self._configuration is None and not self._problems:
            report.add(FindingKind.CONFIGURATION, "there is no CFG-2, so no data frame can be read")
        if self._times is not None:
            self._times.report(report)
        for said, count in self._clocks.items():
            if said != "clock locked":
                report.add(FindingKind.CLOCK, f"{said}, say {count} of {self.frames} data frames")
        for (name, stat), count in self._status.items():
            self._explain(name, stat, count)
        for name, count in self._valueless.items():
            report.add(
                FindingKind.VALUES, f"{name}: {count} blocks are good by STAT, but lack values"
            )
        return report

    def _data(self, frame: DataFrame, codec: DataCodec, t_ns: int | None) -> None:
        configuration = codec.configuration
        if configuration is not self._configuration and isinstance(configuration, Configuration):
            # It came by another way than the data: commands by TCP, data by UDP.
            self._configured(configuration)
        self.frames += 1
        if self._times is not None:
            self._times.take(frame.stamp.ns(configuration.time_base), t_ns)
        self._clocks[clock(frame.stamp.quality)] += 1
        stations: tuple[Station | Station3, ...] = configuration.stations
        for station, pmu in zip(stations, frame.pmus, strict=True):
            stat = pmu.stat
            if stat != Stat():
                self._status[station.name, stat] += 1
            if stat.data_error is DataError.GOOD and not _complete(read(station, pmu)):
                self._valueless[station.name] += 1

    def _configured(self, configuration: Configuration) -> None:
        before = self._configuration
        if before is not None:
            self._configuration = configuration
            if before.same(configuration):
                return
            self._changed(before, configuration)
        self._configuration = configuration
        self._describe(configuration)
        if configuration.data_rate:
            # Missing frames of the old configuration are those of the new one's timeline.
            if (
                self._times is None
                or before is None
                or (before.data_rate != configuration.data_rate)
            ):
                if self._times is not None:
                    self._times.report(self._report)
                self._times = TimestampCheck(configuration.data_rate)
        else:
            self._report.add(FindingKind.CONFIGURATION, "DATA_RATE is 0")

    def _changed(self, before: Configuration, after: Configuration) -> None:
        counts = [[station.change_count for station in one.stations] for one in (before, after)]
        told = "CFGCNT says so" if counts[0] != counts[1] else "CFGCNT does not say so"
        self._report.add(
            FindingKind.CHANGE, f"the configuration changed after {self.frames} data frames; {told}"
        )

    def _describe(self, configuration: Configuration) -> None:
        report, stations = self._report, configuration.stations
        rate = configuration.data_rate
        report.facts.append(
            f"CFG-2 of {2005 if configuration.version == 1 else 2011}: {len(stations)} PMUs ("
            + ", ".join(station.name for station in stations[:8])
            + (", ..." if len(stations) > 8 else "")
            + f"), DATA_RATE {rate}, TIME_BASE {configuration.time_base}"
        )
        if not stations:
            report.add(FindingKind.CONFIGURATION, "the configuration has no PMU")
        if configuration.idcode in _RESERVED_IDS:
            report.add(FindingKind.NAMES, f"IDCODE {configuration.idcode} is reserved")
        for what, values in (
            ("PMU id", [station.idcode for station in stations]),
            ("station name", [station.name for station in stations]),
        ):
            for value, count in Counter(values).items():
                if count > 1:
                    report.add(FindingKind.NAMES, f"{what} {value!r} stands for {count} PMUs")
        for station in stations:
            self._station(station)

    def _station(self, station: Station) -> None:
        report = self._report
        if station.idcode in _RESERVED_IDS:
            report.add(FindingKind.NAMES, f"PMU id {station.idcode} is reserved")
        for name in (station.name, *station.phasors, *station.analogs, *station.digitals):
            if name and not (name.isascii() and name.isprintable()):
                report.add(
                    FindingKind.NAMES, f"{station.name!r}: the name {name!r} is no printable ASCII"
                )
        if not station.name:
            report.add(FindingKind.NAMES, f"PMU {station.idcode} has no station name")
        channels = (*station.phasors, *station.analogs)
        if "" in channels:
            report.add(FindingKind.NAMES, f"{station.name!r}: a phasor or analog value has no name")
        for name, count in Counter(name for name in channels if name).items():
            if count > 1:
                report.add(FindingKind.NAMES, f"{station.name!r}: {name!r} names {count} channels")
        if not station.format.float_phasors:
            for name, unit in zip(station.phasors, station.phasor_units, strict=True):
                if not unit.factor:
                    report.add(
                        FindingKind.CONFIGURATION,
                        f"{station.name!r}: phasor {name!r} is an integer with a scale of 0",
                    )

    def _details(self, details: Configuration3) -> None:
        """Compare a CFG-3 with the CFG-2 that came before."""
        basis = self._configuration
        if basis is None:
            return
        shapes = [
            [
                (s.idcode, s.format, len(s.phasors), len(s.analogs), len(s.digital_units))
                for s in stations
            ]
            for stations in (basis.stations, details.stations)
        ]
        if shapes[0] != shapes[1] or (basis.data_rate, basis.time_base) != (
            details.data_rate,
            details.time_base,
        ):
            self._report.add(FindingKind.CONFIGURATION, "CFG-3 contradicts CFG-2")

    def _explain(self, name: str, stat: Stat, count: int) -> None:
        """Say what a status word is wrong with, under the kind where it belongs."""
        clock_only = stat.data_error is DataError.GOOD and not (
            stat.trigger or stat.modified or stat.sorted_by_arrival or stat.configuration_change
        )
        if clock_only and stat.synchronized and not stat.unlocked:
            return  # It states a time quality, and nothing is wrong.
        self._report.add(
            FindingKind.CLOCK if clock_only else FindingKind.STAT,
            f"{name}: {status(stat)}, in {count} of {self.frames} data frames",
        )


def _complete(measured: Measurement) -> bool:
    numbers = (
        measured.frequency_hz,
        measured.rocof_hz_s,
        *measured.analogs,
        *(abs(phasor) for phasor in measured.phasors),
    )
    return not any(map(math.isnan, numbers))
