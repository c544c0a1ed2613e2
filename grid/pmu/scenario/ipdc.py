"""Set-up files of iPDC's PMU simulator: one PMU each.

Line 1 is a UDP port, line 2 a TCP port, line 3 `CFG n SIZE` and a CFG-2 frame of SIZE bytes,
then `HDR n SIZE` and a header frame; `HDR 0 0` or nothing where there is none. What follows is
not looked at.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from grid.c37118 import Configuration, FrameError, HeaderFrame, Station
from grid.documents.channels import Phasor
from grid.documents.document_error import DocumentError
from grid.pmu.scenario.model import SimulatedPmu
from grid.pmu.scenario.pmu_channels import HEADROOM, Analog, PmuChannels
from grid.pmu.signals.signal import CURRENT_A, VOLTAGE_V, LineLevel
from grid.transport.address import Address, Transport

_HEAD = re.compile(rb"\s*(\d{1,5})\s*\r?\n\s*(\d{1,5})\s*\r?\n")
_FRAME = re.compile(rb"\s*(CFG|HDR) +\d+ +(\d{1,5})\r?\n")
_INTEGER_RANGE = 32767


@dataclass(frozen=True, kw_only=True)
class IpdcSetup:
    """The content of a set-up file."""

    udp_port: int
    """Commands and data over UDP; 0: none."""
    tcp_port: int
    """Commands and data over TCP; 0: none."""
    configuration: Configuration
    """The stream, one PMU."""
    header: str
    """Text of the header frame; empty where there is none."""


def read(path: Path) -> IpdcSetup:
    """Read a file; OSError where there is none, DocumentError where it is none of iPDC's."""
    data = path.read_bytes()
    head = _HEAD.match(data)
    if head is None:
        raise DocumentError([f"{path}: the first two lines are not a UDP and a TCP port"])
    frame, at = _frame(path, data, head.end(), b"CFG")
    try:
        configuration = Configuration.decode(frame)
        header = ""
        found = _FRAME.match(data, at)
        if found is not None and found[1] == b"HDR" and int(found[2]):
            header = HeaderFrame.decode(_frame(path, data, at, b"HDR")[0]).text
    except FrameError as error:
        raise DocumentError([f"{path}: {error}"]) from error
    if len(configuration.stations) != 1:
        raise DocumentError([f"{path}: {len(configuration.stations)} PMUs; one is expected"])
    return IpdcSetup(
        udp_port=int(head[1]),
        tcp_port=int(head[2]),
        configuration=configuration,
        header=header.rstrip("\0"),
    )


def pmu(setup: IpdcSetup) -> SimulatedPmu:
    """Return the PMU of a set-up: its ids, names, units, format and rate, with real signals.

    A phasor's phase is the last letter of its name where that is one of A, B and C, and
    otherwise its turn. Voltages and currents are scaled so that integers show them.
    """
    station = setup.configuration.stations[0]
    addresses = [Address(port=setup.tcp_port)] if setup.tcp_port else []
    if setup.udp_port:
        addresses.append(Address(transport=Transport.UDP, port=setup.udp_port))
    return SimulatedPmu(
        channels=PmuChannels(
            station=station,
            phasors=tuple(
                Phasor(
                    label=name,
                    type="I" if unit.kind == 1 else "V",
                    phase=name[-1:].upper() if name[-1:].upper() in ("A", "B", "C") else turn,
                )
                for name, unit, turn in zip(
                    station.phasors, station.phasor_units, _turns(station), strict=True
                )
            ),
            analogs=tuple(Analog(label=name, quantity="P") for name in station.analogs),
        ),
        rate=setup.configuration.data_rate,
        version=setup.configuration.version,
        time_base=setup.configuration.time_base,
        level=LineLevel(
            voltage_v=_level(station, 0, VOLTAGE_V), current_a=_level(station, 1, CURRENT_A)
        ),
        header=setup.header,
        addresses=tuple(addresses),
    )


def _frame(path: Path, data: bytes, at: int, kind: bytes) -> tuple[bytes, int]:
    """Return the frame of a kind, and where it ends."""
    found = _FRAME.match(data, at)
    if found is None or found[1] != kind:
        raise DocumentError([f"{path}: a line `{kind.decode()} n SIZE` is missing at byte {at}"])
    end = found.end() + int(found[2])
    if end > len(data):
        there, wanted = len(data) - found.end(), int(found[2])
        raise DocumentError([f"{path}: the {kind.decode()} frame has {there} of {wanted} bytes"])
    return data[found.end() : end], end


def _turns(station: Station) -> list[str]:
    """Return a phase for each phasor by its turn among those of its kind."""
    seen = {0: 0, 1: 0}
    turns = []
    for unit in station.phasor_units:
        kind = int(unit.kind == 1)
        turns.append("ABC"[seen[kind] % 3])
        seen[kind] += 1
    return turns


def _level(station: Station, kind: int, usual: float) -> float:
    """Return the level of voltages (0) or currents (1): the usual one, or what fits."""
    factors = [unit.factor for unit in station.phasor_units if (unit.kind == 1) == bool(kind)]
    if not factors or not min(factors) or station.format.float_phasors:
        return usual
    return min(usual, min(factors) / 1e5 * _INTEGER_RANGE / HEADROOM)
