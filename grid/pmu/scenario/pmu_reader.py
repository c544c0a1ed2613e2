"""Reads the PMUs and captures of a scenario document."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from grid.c37118 import VERSION_2005, VERSION_2011, Format
from grid.documents.channels import Phasor
from grid.pmu.scenario import captured
from grid.pmu.scenario.captured import Captured
from grid.pmu.scenario.fields import ScenarioFields
from grid.pmu.scenario.model import PHASORS, SimulatedPmu
from grid.pmu.scenario.pmu_channels import Analog, PmuChannels
from grid.pmu.signals.replay import Recording, Replay
from grid.pmu.signals.signal import CURRENT_A, VOLTAGE_V, LineLevel
from grid.transport.address import Address

_VERSIONS = {2005: VERSION_2005, 2011: VERSION_2011}
_FORMATS = {"float": True, "int": False}
_KEYS = {
    "name", "idcode", "count", "addresses", "rate", "version", "time_base", "format",
    "coordinates", "phasors", "analogs", "digitals", "header", "voltage_v", "current_a",
    "angle_deg", "power_factor_deg", "replay",
}  # fmt: skip


class PmuReader:
    """Reads PMUs and captures; `folder` is where the files are that they name."""

    def __init__(self, fields: ScenarioFields, *, folder: Path, nominal_hz: int) -> None:
        self._fields = fields
        self._folder = folder
        self._nominal_hz = nominal_hz
        self._recordings: dict[str, Recording] = {}

    def pmus(self, value: object, where: str) -> list[SimulatedPmu]:
        """Return the PMUs of one entry: `count` of them."""
        entry = self._fields.mapping(value, where, _KEYS)
        pmu = self._pmu(entry, where)
        if "count" not in entry:
            return [pmu]
        count = self._fields.integer(entry, "count", where, 1, 65534 - pmu.idcode + 1)
        addresses = [address.port + count - 1 for address in pmu.addresses if address.port]
        if any(port > 0xFFFF for port in addresses):
            self._fields.problems.append(f"{where}.count: the port of the last PMU is above 65535")
        if len(f"{pmu.name}-{count}") > 16:
            self._fields.problems.append(
                f"{where}.count: {pmu.name}-{count} is longer than 16 characters"
            )
        return [_numbered(pmu, number) for number in range(count)]

    def _pmu(self, entry: Mapping[str, Any], where: str) -> SimulatedPmu:
        name = self._fields.name(entry, where)
        level = LineLevel(
            voltage_v=self._fields.number(entry, "voltage_v", where, 1, 1e7, VOLTAGE_V),
            current_a=self._fields.number(entry, "current_a", where, 0.001, 1e6, CURRENT_A),
            angle_deg=self._fields.maybe(entry, "angle_deg", where, -360, 360),
            power_factor_deg=self._fields.number(
                entry, "power_factor_deg", where, -180, 180, LineLevel().power_factor_deg
            ),
        )
        listed = self._fields.sequence(entry.get("analogs", []), f"{where}.analogs")
        words = self._fields.sequence(entry.get("digitals", []), f"{where}.digitals")
        return SimulatedPmu(
            channels=PmuChannels.scaled(
                name=name,
                idcode=self._fields.integer(entry, "idcode", where, 1, 65534),
                form=self._format(entry, where),
                nominal_hz=self._nominal_hz,
                level=level,
                phasors=self._phasors(entry, where),
                analogs=[
                    self._analog(analog, f"{where}.analogs[{index}]")
                    for index, analog in enumerate(listed)
                ],
                digitals=[self._fields.word(word, f"{where}.digitals") for word in words],
            ),
            rate=self._rate(entry, where),
            version=self._fields.one_of(entry, "version", where, _VERSIONS, 2011),
            time_base=self._fields.integer(entry, "time_base", where, 1, 0xFFFFFF, 1_000_000),
            level=level,
            replay=self._replay(entry, where, name) if "replay" in entry else None,
            header=self._fields.text(entry, "header", where),
            addresses=self._addresses(entry, where),
        )

    def _rate(self, entry: Mapping[str, Any], where: str) -> int:
        rate = self._fields.integer(entry, "rate", where, -32768, 1000, 50)
        if rate == 0:
            self._fields.problems.append(
                f"{where}.rate: 0 is neither frames a second nor seconds a frame"
            )
        return rate or 1

    def _format(self, entry: Mapping[str, Any], where: str) -> Format:
        value = entry.get("format", "float")
        parts: Mapping[str, Any] = {}
        if isinstance(value, dict):
            parts = self._fields.mapping(
                value, f"{where}.format", {"phasors", "frequency", "analogs"}
            )
            value = "float"
        whole = self._fields.one_of({"format": value}, "format", where, _FORMATS, "float")
        floats = {
            part: self._fields.one_of(parts, part, f"{where}.format", _FORMATS, "float") and whole
            for part in ("phasors", "frequency", "analogs")
        }
        coordinates = {"rectangular": False, "polar": True}
        return Format(
            polar=self._fields.one_of(entry, "coordinates", where, coordinates, "rectangular"),
            float_phasors=floats["phasors"],
            float_frequency=floats["frequency"],
            float_analogs=floats["analogs"],
        )

    def _phasors(self, entry: Mapping[str, Any], where: str) -> tuple[Phasor, ...]:
        if "phasors" not in entry:
            return PHASORS
        at = f"{where}.phasors"
        return tuple(
            self._fields.phasor(value, f"{at}[{index}]")
            for index, value in enumerate(self._fields.sequence(entry["phasors"], at))
        )

    def _analog(self, value: object, where: str) -> Analog:
        entry = self._fields.mapping(value, where, {"label", "quantity"})
        return Analog(
            label=self._fields.label(entry.get("label"), where),
            quantity=self._fields.one_of(entry, "quantity", where, {"P": "P", "Q": "Q"}, "P"),
        )

    def _addresses(self, entry: Mapping[str, Any], where: str) -> tuple[Address, ...]:
        at = f"{where}.addresses"
        return tuple(
            self._fields.address(text, at)
            for text in self._fields.sequence(entry.get("addresses", ["tcp://:4712"]), at)
        )

    def _replay(self, entry: Mapping[str, Any], where: str, name: str) -> Replay | None:
        where = f"{where}.replay"
        keys = {"file", "pmu", "between", "start", "repeat_s"}
        entry = self._fields.mapping(entry["replay"], where, keys)
        file = self._fields.text(entry, "file", where)
        schedule = self._fields.schedule(entry, where)
        hold = self._fields.one_of(
            entry, "between", where, {"linear": False, "hold": True}, "linear"
        )
        try:
            if file not in self._recordings:
                self._recordings[file] = Recording.read(self._folder / file, self._nominal_hz)
            wanted = self._fields.text(entry, "pmu", where, name)
            return Replay(self._recordings[file].track(wanted), schedule=schedule, hold=hold)
        except (OSError, ValueError) as error:
            self._fields.problems.append(f"{where}.file: {error}")
            return None

    def capture(self, value: object, where: str) -> tuple[str, Captured | None]:
        """Return the file's name and its stream, None where it cannot be had."""
        entry = self._fields.mapping(value, where, {"file", "idcode", "addresses"})
        file = self._fields.text(entry, "file", where)
        idcode = (
            self._fields.integer(entry, "idcode", where, 1, 65534) if "idcode" in entry else None
        )
        addresses = self._addresses(entry, where)
        try:
            return file, replace(captured.read(self._folder / file, idcode), addresses=addresses)
        except (OSError, ValueError) as error:
            self._fields.problems.append(f"{where}.file: {error}")
            return file, None


def _numbered(pmu: SimulatedPmu, number: int) -> SimulatedPmu:
    """Return the PMU with its number in name, IDCODE and ports."""
    station = replace(
        pmu.channels.station, name=f"{pmu.name}-{number + 1}", idcode=pmu.idcode + number
    )
    addresses = tuple(
        replace(address, port=address.port + number) if address.port else address
        for address in pmu.addresses
    )
    return replace(pmu, channels=replace(pmu.channels, station=station), addresses=addresses)
