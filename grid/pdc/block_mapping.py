"""Maps PMU blocks of an input to those of the output: formats, scales, missing channels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from grid.c37118.frames import envelope as wire
from grid.documents.channels import DIGITALS_A_WORD
from grid.pdc.alignment.output_format import OutputFormat
from grid.pdc.topology.model import OutputStream, Pmu

_Value = TypeVar("_Value")
Convert = Callable[[bytes], bytes]

VOLTAGE_FACTOR = 2_725_785
"""PHUNIT of integer voltages, 1e-5 V a step: openPDC's VoltageScalingValue."""
CURRENT_FACTOR = 2_423
"""PHUNIT of integer currents, 1e-5 A a step: openPDC's CurrentScalingValue."""
_RMS = 1


def output_station(pmu: Pmu, stream: OutputStream, change_count: int = 0) -> Station:
    """Return the PMU as the output stream's configuration names it."""
    return Station(
        name=pmu.name,
        idcode=pmu.output_id,
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
        change_count=change_count & 0xFFFF,
    )


@dataclass(frozen=True, kw_only=True)
class BlockMapping:
    """The copies and conversions that bring an input's blocks into an output frame."""

    copies: tuple[tuple[int, int, int, int], ...]
    """Start and end in the input's frame, start and end in the output's: bytes that pass
    unchanged. Blocks that follow one another in both frames are one."""
    conversions: tuple[tuple[int, int, int, int, Convert], ...]
    """The same for single blocks, and what they have to go through."""
    stats: tuple[tuple[int, int], ...]
    """Positions of each PMU's STAT in the input's and in the output's frame."""
    pmus: frozenset[int]
    """The PMUs' ids in the output."""


def match(
    wanted: Sequence[Pmu], configuration: Configuration, output_format: OutputFormat
) -> tuple[BlockMapping, list[str]]:
    """Return how the wanted PMUs of an input get into the output.

    PMUs are found by their IDCODE; where an id stands twice in the input, the one of the
    right name is taken, or else the first. The list has one sentence for everything that
    the input lacks.
    """
    copies: list[tuple[int, int, int, int]] = []
    conversions: list[tuple[int, int, int, int, Convert]] = []
    stats: list[tuple[int, int]] = []
    found: list[int] = []
    problems: list[str] = []
    places = _places(configuration)
    outputs = output_format.stations
    for pmu in wanted:
        index = _find(pmu, configuration, problems, alone=len(wanted) == 1)
        if index is None:
            continue
        station = configuration.stations[index]
        problems += _lacking(pmu, station)
        convert = converter(station, outputs[pmu.output_id])
        begin, end = places[index]
        at, until = output_format.places[pmu.output_id]
        stats.append((begin, at))
        found.append(pmu.output_id)
        if convert is not None:
            conversions.append((begin, end, at, until, convert))
        elif copies and copies[-1][1] == begin and copies[-1][3] == at:
            copies[-1] = (copies[-1][0], end, copies[-1][2], until)
        else:
            copies.append((begin, end, at, until))
    mapping = BlockMapping(
        copies=tuple(copies),
        conversions=tuple(conversions),
        stats=tuple(stats),
        pmus=frozenset(found),
    )
    return mapping, problems


def _find(
    pmu: Pmu, configuration: Configuration, problems: list[str], *, alone: bool
) -> int | None:
    """Return the index of a PMU in the input's configuration."""
    stations = configuration.stations
    same = [index for index, station in enumerate(stations) if station.idcode == pmu.idcode]
    if len(same) > 1:
        named = [index for index in same if stations[index].name == pmu.name]
        same = named or same
        problems.append(
            f"IDCODE {pmu.idcode} stands twice in the stream: taking the PMU that is called "
            f"{stations[same[0]].name!r}; name it in the topology as the stream does"
        )
    if not same and alone and len(stations) == 1:
        return 0  # A PMU's own id may differ from its stream's; there is but one PMU.
    if not same:
        known = ", ".join(str(station.idcode) for station in stations)
        problems.append(
            f"PMU {pmu.name} (IDCODE {pmu.idcode}) is not in the stream, which has "
            f"{known or 'none'}: its data are marked absent"
        )
        return None
    return same[0]


def _places(configuration: Configuration) -> list[tuple[int, int]]:
    """Return start and end of each PMU's block in a data frame."""
    places = []
    at = wire.HEAD
    for station in configuration.stations:
        start, at = at, at + BlockCodec(station).size
        places.append((start, at))
    return places


def converter(source: Station, output: Station) -> Convert | None:
    """Return what turns a block of `source` into one of `output`; None if it is one already."""
    if _same_format(source, output):
        return None
    reader, writer = BlockCodec(source), BlockCodec(output)
    nothing = read(output, absent(output))

    def convert(block: bytes) -> bytes:
        measurement = read(source, reader.decode(block))
        return writer.encode(write(output, _fit(measurement, nothing)))

    return convert


def _same_format(source: Station, output: Station) -> bool:
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
