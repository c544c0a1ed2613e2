"""Frames as JSON for programs."""

import cmath
import json
import math
from typing import Any

from grid.c37118 import (
    CommandFrame,
    Configuration,
    Configuration3,
    DataFrame,
    HeaderFrame,
    Measurement,
    Stamp,
    Station,
    Station3,
    read,
)
from grid.inspect.observed_frame import ObservedFrame
from grid.inspect.text import iso, unit_name, units


def line(observed: ObservedFrame) -> str:
    """Return a frame as one line of JSON; what has no value is null."""
    frame = observed.frame
    document: dict[str, Any] = {
        "type": observed.type.name.lower(),
        "idcode": observed.idcode,
        "source": observed.source,
        "received": None if observed.t_ns is None else iso(observed.t_ns),
    }
    if isinstance(frame, DataFrame):
        assert observed.codec is not None  # noqa: S101 - else it could not be read
        time_base = observed.codec.configuration.time_base
        stations: tuple[Station | Station3, ...] = observed.codec.configuration.stations
        document |= {
            "time": iso(frame.stamp.ns(time_base)),
            "fraction_s": frame.stamp.fraction(time_base),
            "clock": _quality(frame.stamp),
            "pmus": [
                _measured(station, read(station, pmu))
                for station, pmu in zip(stations, frame.pmus, strict=True)
            ],
        }
    elif isinstance(frame, Configuration | Configuration3):
        document |= {
            "version": frame.version,
            "data_rate": frame.data_rate,
            "time_base": frame.time_base,
            "pmus": [_described(station) for station in frame.stations],
        }
    elif isinstance(frame, CommandFrame):
        document |= {"command": frame.command, "extended": frame.extended.hex()}
    elif isinstance(frame, HeaderFrame):
        document |= {"text": frame.text}
    else:
        document |= {"problem": observed.problem}
    return json.dumps(document, allow_nan=False)


def _quality(stamp: Stamp) -> dict[str, Any]:
    quality = stamp.quality
    return {
        "code": quality.code,
        "leap_pending": quality.leap_pending,
        "leap_occurred": quality.leap_occurred,
        "leap_delete": quality.leap_delete,
    }


def _measured(station: Station | Station3, measured: Measurement) -> dict[str, Any]:
    stat = measured.stat
    return {
        "name": station.name,
        "idcode": station.idcode,
        "stat": {
            "data_error": stat.data_error.name.lower(),
            "synchronized": stat.synchronized,
            "sorted_by_arrival": stat.sorted_by_arrival,
            "trigger": stat.trigger,
            "configuration_change": stat.configuration_change,
            "modified": stat.modified,
            "time_quality": stat.time_quality,
            "unlocked": stat.unlocked,
            "trigger_reason": stat.trigger_reason,
        },
        "phasors": [
            {
                "name": name,
                "unit": unit_name(unit),
                "magnitude": _number(abs(phasor)),
                "angle_deg": _number(math.degrees(cmath.phase(phasor))),
            }
            for name, unit, phasor in zip(
                station.phasors, units(station), measured.phasors, strict=True
            )
        ],
        "frequency_hz": _number(measured.frequency_hz),
        "rocof_hz_s": _number(measured.rocof_hz_s),
        "analogs": [
            {"name": name, "value": _number(value)}
            for name, value in zip(station.analogs, measured.analogs, strict=True)
        ],
        "digitals": list(measured.digitals),
    }


def _described(station: Station | Station3) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": station.name,
        "idcode": station.idcode,
        "format": station.format.to_word(),
        "nominal_hz": station.nominal_hz,
        "change_count": station.change_count,
        "phasors": [
            {"name": name, "unit": unit_name(unit), "scale": _number(unit.scale)}
            for name, unit in zip(station.phasors, units(station), strict=True)
        ],
        "analogs": list(station.analogs),
        "digitals": list(station.digitals),
    }
    if isinstance(station, Station3):
        document |= {
            "global_id": station.global_id.hex(),
            "latitude_deg": _number(station.latitude_deg),
            "longitude_deg": _number(station.longitude_deg),
            "elevation_m": _number(station.elevation_m),
            "service_class": station.service_class,
            "window_us": station.window_us,
            "group_delay_us": station.group_delay_us,
        }
    return document


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
