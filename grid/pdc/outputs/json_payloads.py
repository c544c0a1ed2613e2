"""The JSON payloads of MQTT messages: one PMU's values in physical units."""

import json
import math
from collections.abc import Iterator
from typing import Any

from grid.c37118 import Configuration, DataCodec, Station, read


class JsonPayloads:
    """Turns the data frames of one configuration into messages, one a PMU.

    {"time": 1700000000.02, "soc": 1700000000, "stat": 0, "error": "good", "synchronized": true,
     "phasors": {"VA": {"magnitude": 76210.2, "angle": 0.12}, ...}, "frequency": 50.01,
     "rocof": 0.002, "analogs": {...}, "digitals": [...], ...}

    Magnitudes are V or A rms, angles rad, frequencies Hz and Hz/s; what is absent is null.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._codec = DataCodec(configuration)
        self._configuration = configuration

    def messages(self, frame: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the message of each PMU of a data frame."""
        data = self._codec.decode(frame)
        base = self._configuration.time_base
        time_s = round(data.stamp.soc + data.stamp.count / base, 6)
        quality = data.stamp.quality.code
        for station, block in zip(self._configuration.stations, data.pmus, strict=True):
            message = {
                "time": time_s,
                "time_quality": quality,
                "idcode": station.idcode,
                **_values(station, block),
            }
            yield station.name, json.dumps(message, separators=(",", ":")).encode()


def _values(station: Station, block: Any) -> dict[str, Any]:
    measured = read(station, block)
    stat = measured.stat
    return {
        "stat": stat.to_word(),
        "error": stat.data_error.name.lower(),
        "synchronized": stat.synchronized,
        "phasors": {
            label: _phasor(value)
            for label, value in zip(station.phasors, measured.phasors, strict=True)
        },
        "frequency": _number(measured.frequency_hz),
        "rocof": _number(measured.rocof_hz_s),
        "analogs": {
            label: _number(value)
            for label, value in zip(station.analogs, measured.analogs, strict=True)
        },
        "digitals": list(measured.digitals),
    }


def _phasor(value: complex) -> dict[str, float] | None:
    if not (math.isfinite(value.real) and math.isfinite(value.imag)):
        return None
    return {"magnitude": abs(value), "angle": math.atan2(value.imag, value.real)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
