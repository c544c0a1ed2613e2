"""From an input's PMU to the output's: formats, scales and missing channels."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from grid.c37118 import (
    AnalogUnit,
    BlockCodec,
    Configuration,
    DigitalUnit,
    Format,
    Measurement,
    PhasorUnit,
    Station,
    absent,
    read,
    write,
)
from grid.pdc.topology import DIGITALS_A_WORD, Input, Pmu, Stream

_Value = TypeVar("_Value")
Convert = Callable[[bytes], bytes]

VOLTAGE_FACTOR = 2_725_785
"""PHUNIT of integer voltages, 1e-5 V a step: openPDC's VoltageScalingValue."""
CURRENT_FACTOR = 2_423
"""PHUNIT of integer currents, 1e-5 A a step: openPDC's CurrentScalingValue."""
_RMS = 1


def output_station(pmu: Pmu, stream: Stream) -> Station:
    """Return the PMU as the output stream's configuration names it."""
    return Station(
        name=pmu.name,
        idcode=pmu.idcode,
        format=Format(
            polar=stream.polar,
            float_phasors=stream.float_format,
            float_analogs=stream.float_format,
            float_frequency=stream.float_format,
        ),
        phasors=tuple(phasor.label for phasor in pmu.phasors),
        phasor_units=tuple(
            PhasorUnit(kind=0, factor=VOLTAGE_FACTOR)
            if phasor.type == "V"
            else PhasorUnit(kind=1, factor=CURRENT_FACTOR)
            for phasor in pmu.phasors
        ),
        analogs=pmu.analogs,
        analog_units=(AnalogUnit(kind=_RMS, factor=1),) * len(pmu.analogs),
        digitals=tuple(
            name for word in pmu.digitals for name in (*word, *[""] * (DIGITALS_A_WORD - len(word)))
        ),
        digital_units=tuple(
            DigitalUnit(normal=0, valid=(1 << len(word)) - 1) for word in pmu.digitals
        ),
        fnom=1 if stream.nominal_hz == 50 else 0,
    )


def match(
    source: Input, configuration: Configuration, outputs: dict[int, Station]
) -> tuple[dict[int, tuple[int, Convert]], list[str]]:
    """Return, per wanted PMU, its place in the input's frames and how to convert its block.

    `outputs` are the output's stations by PMU id; so are the keys of the result. The list
    has one sentence for everything that the input lacks.
    """
    found: dict[int, tuple[int, Convert]] = {}
    problems: list[str] = []
    by_id = {station.idcode: index for index, station in enumerate(configuration.stations)}
    for pmu in source.pmus:
        index = by_id.get(pmu.idcode)
        if index is None and len(source.pmus) == len(configuration.stations) == 1:
            index = 0  # A PMU's own id may differ from its stream's; there is but one PMU.
        if index is None:
            problems.append(
                f"PMU {pmu.name} (IDCODE {pmu.idcode}) is not in the stream, which has "
                f"{', '.join(map(str, by_id)) or 'none'}: its data are marked absent"
            )
            continue
        station = configuration.stations[index]
        problems += _lacking(pmu, station)
        found[pmu.idcode] = (index, converter(station, outputs[pmu.idcode]))
    return found, problems


def converter(source: Station, output: Station) -> Convert:
    """Return what turns a block of `source` into one of `output`."""
    if _same_layout(source, output):
        return bytes
    reader, writer = BlockCodec(source), BlockCodec(output)
    nothing = read(output, absent(output))

    def convert(block: bytes) -> bytes:
        measurement = read(source, reader.decode(block))
        return writer.encode(write(output, _fit(measurement, nothing)))

    return convert


def _same_layout(source: Station, output: Station) -> bool:
    one, other = replace(source.format, reserved=0), output.format
    counts = [
        (len(station.phasors), len(station.analogs), len(station.digital_units))
        for station in (source, output)
    ]
    if one != other or counts[0] != counts[1]:
        return False
    scales = one.float_phasors or source.phasor_units == output.phasor_units
    return scales and (one.float_frequency or source.nominal_hz == output.nominal_hz)


def _fit(measurement: Measurement, nothing: Measurement) -> Measurement:
    """Cut off surplus channels and fill up missing ones."""
    return replace(
        measurement,
        phasors=_cut(measurement.phasors, nothing.phasors),
        analogs=_cut(measurement.analogs, nothing.analogs),
        digitals=_cut(measurement.digitals, nothing.digitals),
    )


def _cut(values: tuple[_Value, ...], fill: tuple[_Value, ...]) -> tuple[_Value, ...]:
    return values[: len(fill)] + fill[len(values) :]


def _lacking(pmu: Pmu, station: Station) -> list[str]:
    return [
        f"PMU {pmu.name} has {have} {what} and not the {want} that are configured: "
        "the missing ones are sent as absent"
        for what, have, want in (
            ("phasors", len(station.phasors), len(pmu.phasors)),
            ("analogs", len(station.analogs), len(pmu.analogs)),
            ("digital words", len(station.digital_units), len(pmu.digitals)),
        )
        if have < want
    ]
