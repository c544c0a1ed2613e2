"""Frames as text for people."""

import cmath
import math
import time

from grid.c37118 import (
    Command,
    CommandFrame,
    Configuration,
    Configuration3,
    DataError,
    DataFrame,
    HeaderFrame,
    Measurement,
    PhasorScale,
    PhasorUnit,
    Stat,
    Station,
    Station3,
    TimeQuality,
    read,
)
from grid.inspect.observed_frame import ObservedFrame

_ERRORS = {
    DataError.GOOD: "good",
    DataError.PMU_ERROR: "PMU error",
    DataError.ABSENT: "absent",
    DataError.INVALID: "invalid",
}
_NS = 1_000_000_000


def text(observed: ObservedFrame) -> str:
    """Return a frame as lines of text."""
    parts = [iso(observed.t_ns)] if observed.t_ns is not None else []
    parts += [observed.source, observed.type.name, str(observed.idcode)]
    frame = observed.frame
    lines: list[str] = []
    if isinstance(frame, DataFrame):
        assert observed.codec is not None  # noqa: S101 - else it could not be read
        parts += [
            "at " + iso(frame.stamp.ns(observed.codec.configuration.time_base)),
            clock(frame.stamp.quality),
        ]
        stations: tuple[Station | Station3, ...] = observed.codec.configuration.stations
        lines = [
            _block(station, read(station, pmu))
            for station, pmu in zip(stations, frame.pmus, strict=True)
        ]
    elif isinstance(frame, Configuration | Configuration3):
        rate = frame.data_rate
        parts.append(f"{rate} frames/s" if rate > 0 else f"a frame each {-rate} s")
        parts.append(f"TIME_BASE {frame.time_base}")
        lines = [_station(station) for station in frame.stations]
    elif isinstance(frame, CommandFrame):
        parts.append(_command(frame.command))
        parts += [f"with {frame.extended.hex()}"] if frame.extended else []
    elif isinstance(frame, HeaderFrame):
        parts.append(repr(frame.text))
    else:
        parts.append(f"cannot be read: {observed.problem}")
    return "\n    ".join([" ".join(parts), *lines])


def iso(ns: int) -> str:
    """Return a time, nanoseconds since 1970-01-01 UTC, with its microseconds."""
    seconds, rest = divmod(round(ns, -3), _NS)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1000:06d}Z"


def clock(quality: TimeQuality) -> str:
    """Return what a frame says of its clock."""
    said = {0: "clock locked", 15: "clock unreliable"}
    text = said.get(quality.code, f"clock within 1e{quality.code - 10} s")
    if not 0 <= quality.code <= 11 and quality.code != 15:
        text = f"clock quality {quality.code} is reserved"
    for flag, what in (
        (quality.leap_pending, "pending"),
        (quality.leap_occurred, "occurred"),
    ):
        if flag:
            text += f", leap second {what} ({'deleted' if quality.leap_delete else 'added'})"
    return text


def status(stat: Stat) -> str:
    """Return what STAT says."""
    said = [_ERRORS[stat.data_error]]
    flags = (
        (not stat.synchronized, "not in sync"),
        (stat.unlocked, f"unlocked for {(0, 10, 100, 1000)[stat.unlocked]} s or more"),
        (stat.sorted_by_arrival, "sorted by arrival"),
        (stat.trigger, f"trigger {stat.trigger_reason}"),
        (stat.configuration_change, "configuration changes"),
        (stat.modified, "modified"),
    )
    said += [what for flag, what in flags if flag]
    return ", ".join(said)


def unit_name(unit: PhasorUnit | PhasorScale) -> str:
    """Return V or A."""
    current = unit.is_current if isinstance(unit, PhasorScale) else unit.kind == 1
    return "A" if current else "V"


def units(station: Station | Station3) -> tuple[PhasorUnit | PhasorScale, ...]:
    """Return what the phasors of a PMU are, by CFG-2 or CFG-3."""
    return station.phasor_units


def _block(station: Station | Station3, measured: Measurement) -> str:
    said = [
        f"{name} {abs(phasor):.6g} {unit_name(unit)} ∠ {math.degrees(cmath.phase(phasor)):.3f}°"
        for name, unit, phasor in zip(
            station.phasors, units(station), measured.phasors, strict=True
        )
    ]
    said += [f"{measured.frequency_hz:.4f} Hz", f"{measured.rocof_hz_s:.4g} Hz/s"]
    said += [
        f"{name} {value:.6g}" for name, value in zip(station.analogs, measured.analogs, strict=True)
    ]
    said += [f"digital 0x{word:04x}" for word in measured.digitals]
    return f"{station.name} ({station.idcode}) {status(measured.stat)}: {'; '.join(said)}"


def _station(station: Station | Station3) -> str:
    form = station.format
    numbers = "float" if form.float_phasors else "int16"
    phasors = ", ".join(
        f"{name} ({unit_name(unit)})"
        for name, unit in zip(station.phasors, units(station), strict=True)
    )
    said = [
        f"phasors {numbers} {'polar' if form.polar else 'rectangular'}: {phasors or 'none'}",
        f"frequency {'float' if form.float_frequency else 'int16'}, {station.nominal_hz:g} Hz",
    ]
    if station.analogs:
        said.append(
            f"analogs {'float' if form.float_analogs else 'int16'}: {', '.join(station.analogs)}"
        )
    if station.digital_units:
        named = ", ".join(name for name in station.digitals if name)
        said.append(f"{len(station.digital_units)} digital words: {named}")
    said.append(f"CFGCNT {station.change_count}")
    return f"{station.name} ({station.idcode}): {'; '.join(said)}"


def _command(command: int) -> str:
    try:
        return Command(command).name
    except ValueError:
        return f"command {command}"
