"""A scenario as people write it: YAML, checked as a whole."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from grid.address import Address, AddressError
from grid.c37118 import VERSION_2005, VERSION_2011, Format
from grid.pmu import captured
from grid.pmu.captured import Captured, CapturedError
from grid.pmu.clock import UNKNOWN, Clock, FixedClock, KernelClock, LeapSecond, within
from grid.pmu.event_document import EventReader
from grid.pmu.fields import ScenarioFields
from grid.pmu.layout import DIGITALS_A_WORD, Analog, Phasor, layout
from grid.pmu.replay import Recording, Replay, ReplayError
from grid.pmu.scenario import NOISE, PHASORS, WANDER_HZ, Pmu, Scenario
from grid.pmu.signal import CURRENT_A, VOLTAGE_V, Level

SHIPPED = Path(__file__).with_name("scenarios")
"""Where the scenarios lie that come with this package."""

_PHASES = "ABC+-0"
_VERSIONS = {2005: VERSION_2005, 2011: VERSION_2011}
_FORMATS = {"float": True, "int": False}
_TOP = {
    "seed",
    "nominal_hz",
    "noise",
    "wander_mhz",
    "clock",
    "leap_second",
    "pmus",
    "captures",
    "events",
}
_PMU = {
    "name", "idcode", "count", "addresses", "rate", "version", "time_base", "format",
    "coordinates", "phasors", "analogs", "digitals", "header", "voltage_v", "current_a",
    "angle_deg", "power_factor_deg", "replay",
}  # fmt: skip


class ScenarioError(ValueError):
    """A scenario document is wrong; `problems` names every place."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def shipped() -> list[str]:
    """Return the names of the scenarios that come with this package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def load(name: str, *, process_ns: int | None = None) -> Scenario:
    """Read a scenario from a file, or by the name of one that comes with this package.

    OSError where there is none, ScenarioError with all that is wrong in it.
    """
    path = Path(name)
    if not path.exists() and name in shipped():
        path = SHIPPED / f"{name}.yml"
    return loads(path.read_text(encoding="utf-8"), folder=path.parent, process_ns=process_ns)


def loads(text: str, *, folder: Path, process_ns: int | None = None) -> Scenario:
    """Read a YAML document; `folder` is where the files are that it names."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ScenarioError([f"not YAML: {error}".replace("\n", " ")]) from error
    reader = _Reader(folder, time.time_ns() if process_ns is None else process_ns)
    scenario = reader.scenario(document)
    if reader.problems:
        raise ScenarioError(reader.problems)
    return scenario


class _Reader(ScenarioFields):
    """Reads the parts of a scenario."""

    def __init__(self, folder: Path, process_ns: int) -> None:
        super().__init__(process_ns)
        self._folder = folder
        self._recordings: dict[str, Recording] = {}
        self._nominal_hz = 50

    def scenario(self, document: object) -> Scenario:
        top = self.mapping(document, "the scenario", _TOP)
        self._nominal_hz = self.one_of(top, "nominal_hz", "the scenario", {50: 50, 60: 60}, 50)
        listed = self.sequence(top.get("pmus", []), "pmus")
        captures = [
            self._capture(entry, f"captures[{index}]")
            for index, entry in enumerate(self.sequence(top.get("captures", []), "captures"))
        ]
        pmus = [
            pmu for index, entry in enumerate(listed) for pmu in self._pmus(entry, f"pmus[{index}]")
        ]
        streams = [(pmu.name, pmu.addresses) for pmu in pmus]
        streams += [(name, found.addresses) for name, found in captures if found is not None]
        self._unique(streams)
        events = EventReader(self, pmus)
        happening = [
            events.event(entry, f"events[{index}]")
            for index, entry in enumerate(self.sequence(top.get("events", []), "events"))
        ]
        return Scenario(
            pmus=tuple(pmus),
            captures=tuple(found for _, found in captures if found is not None),
            events=tuple(event for event in happening if event is not None),
            seed=self.integer(top, "seed", "the scenario", 0, 2**31, 1),
            noise=self.number(top, "noise", "the scenario", 0, 1, NOISE),
            wander_hz=self.number(top, "wander_mhz", "the scenario", 0, 1000, WANDER_HZ * 1e3)
            / 1e3,
            clock=self._clock(top),
        )

    def _clock(self, top: Mapping[str, Any]) -> Clock:
        leap = None
        if "leap_second" in top:
            entry = self.mapping(top["leap_second"], "leap_second", {"at", "delete"})
            ns = self.utc(entry.get("at"), "leap_second.at")
            leap = LeapSecond(ns=ns, delete=self.flag(entry, "delete", "leap_second"))
        value = top.get("clock", "unknown")
        if value == "kernel":
            if leap is not None:
                self.problems.append("leap_second: a kernel clock tells of leap seconds itself")
            try:
                return KernelClock()
            except OSError as error:
                self.problems.append(f"clock: {error}")
        elif value == "locked":
            return FixedClock(within(0), leap)
        elif isinstance(value, dict):
            entry = self.mapping(value, "clock", {"error_s"})
            return FixedClock(within(self.number(entry, "error_s", "clock", 1e-9, 10)), leap)
        elif value != "unknown":
            self.problems.append(
                f"clock: {value!r} is none of unknown, kernel, locked, {{error_s: NUMBER}}"
            )
        return FixedClock(UNKNOWN, leap)

    def _pmus(self, value: object, where: str) -> list[Pmu]:
        """Return the PMUs of one entry: `count` of them."""
        entry = self.mapping(value, where, _PMU)
        pmu = self._pmu(entry, where)
        if "count" not in entry:
            return [pmu]
        count = self.integer(entry, "count", where, 1, 65534 - pmu.idcode + 1)
        addresses = [address.port + count - 1 for address in pmu.addresses if address.port]
        if any(port > 0xFFFF for port in addresses):
            self.problems.append(f"{where}.count: the port of the last PMU is above 65535")
        if len(f"{pmu.name}-{count}") > 16:
            self.problems.append(f"{where}.count: {pmu.name}-{count} is longer than 16 characters")
        return [_numbered(pmu, number) for number in range(count)]

    def _pmu(self, entry: Mapping[str, Any], where: str) -> Pmu:
        name = self.name(entry, where)
        level = Level(
            voltage_v=self.number(entry, "voltage_v", where, 1, 1e7, VOLTAGE_V),
            current_a=self.number(entry, "current_a", where, 0.001, 1e6, CURRENT_A),
            angle_deg=self.maybe(entry, "angle_deg", where, -360, 360),
            power_factor_deg=self.number(
                entry, "power_factor_deg", where, -180, 180, Level().power_factor_deg
            ),
        )
        listed = self.sequence(entry.get("analogs", []), f"{where}.analogs")
        words = self.sequence(entry.get("digitals", []), f"{where}.digitals")
        return Pmu(
            layout=layout(
                name=name,
                idcode=self.integer(entry, "idcode", where, 1, 65534),
                form=self._format(entry, where),
                nominal_hz=self._nominal_hz,
                level=level,
                phasors=self._phasors(entry, where),
                analogs=[
                    self._analog(analog, f"{where}.analogs[{index}]")
                    for index, analog in enumerate(listed)
                ],
                digitals=[self._word(word, f"{where}.digitals") for word in words],
            ),
            rate=self._rate(entry, where),
            version=self.one_of(entry, "version", where, _VERSIONS, 2011),
            time_base=self.integer(entry, "time_base", where, 1, 0xFFFFFF, 1_000_000),
            level=level,
            replay=self._replay(entry, where, name) if "replay" in entry else None,
            header=self.text(entry, "header", where),
            addresses=self._addresses(entry, where),
        )

    def _rate(self, entry: Mapping[str, Any], where: str) -> int:
        rate = self.integer(entry, "rate", where, -32768, 1000, 50)
        if rate == 0:
            self.problems.append(f"{where}.rate: 0 is neither frames a second nor seconds a frame")
        return rate or 1

    def _format(self, entry: Mapping[str, Any], where: str) -> Format:
        value = entry.get("format", "float")
        parts: Mapping[str, Any] = {}
        if isinstance(value, dict):
            parts = self.mapping(value, f"{where}.format", {"phasors", "frequency", "analogs"})
            value = "float"
        whole = self.one_of({"format": value}, "format", where, _FORMATS, "float")
        floats = {
            part: self.one_of(parts, part, f"{where}.format", _FORMATS, "float") and whole
            for part in ("phasors", "frequency", "analogs")
        }
        coordinates = {"rectangular": False, "polar": True}
        return Format(
            polar=self.one_of(entry, "coordinates", where, coordinates, "rectangular"),
            float_phasors=floats["phasors"],
            float_frequency=floats["frequency"],
            float_analogs=floats["analogs"],
        )

    def _phasors(self, entry: Mapping[str, Any], where: str) -> tuple[Phasor, ...]:
        if "phasors" not in entry:
            return PHASORS
        at = f"{where}.phasors"
        return tuple(
            self._phasor(value, f"{at}[{index}]")
            for index, value in enumerate(self.sequence(entry["phasors"], at))
        )

    def _phasor(self, value: object, where: str) -> Phasor:
        if isinstance(value, str) and len(value) == 2 and value[0] in "VI" and value[1] in _PHASES:
            return Phasor(label=value, type=value[0], phase=value[1])
        if not isinstance(value, dict):
            self.problems.append(
                f"{where}: {value!r} does not say type and phase as VA, IC or V+ do; "
                "write {label: ..., type: V or I, phase: A, B, C, +, - or 0}"
            )
            return PHASORS[0]
        entry = self.mapping(value, where, {"label", "type", "phase"})
        return Phasor(
            label=self.label(entry.get("label"), where),
            type=self.one_of(entry, "type", where, {"V": "V", "I": "I"}, ""),
            phase=self.one_of(entry, "phase", where, {phase: phase for phase in _PHASES}, ""),
        )

    def _analog(self, value: object, where: str) -> Analog:
        entry = self.mapping(value, where, {"label", "quantity"})
        return Analog(
            label=self.label(entry.get("label"), where),
            quantity=self.one_of(entry, "quantity", where, {"P": "P", "Q": "Q"}, "P"),
        )

    def _word(self, value: object, where: str) -> list[str]:
        names = [self.label(name, where) for name in self.sequence(value, where)]
        if len(names) > DIGITALS_A_WORD:
            self.problems.append(f"{where}: a digital word has 16 inputs, not {len(names)}")
        return names[:DIGITALS_A_WORD]

    def _addresses(self, entry: Mapping[str, Any], where: str) -> tuple[Address, ...]:
        at = f"{where}.addresses"
        addresses = []
        for text in self.sequence(entry.get("addresses", ["tcp://:4712"]), at):
            try:
                addresses.append(Address.parse(str(text)))
            except AddressError as error:
                self.problems.append(f"{at}: {error}")
        return tuple(addresses)

    def _replay(self, entry: Mapping[str, Any], where: str, name: str) -> Replay | None:
        where = f"{where}.replay"
        keys = {"file", "pmu", "between", "start", "repeat_s"}
        entry = self.mapping(entry["replay"], where, keys)
        file = self.text(entry, "file", where)
        schedule = self.schedule(entry, where)
        hold = self.one_of(entry, "between", where, {"linear": False, "hold": True}, "linear")
        try:
            if file not in self._recordings:
                self._recordings[file] = Recording.read(self._folder / file, self._nominal_hz)
            wanted = self.text(entry, "pmu", where, name)
            return Replay(self._recordings[file].track(wanted), schedule=schedule, hold=hold)
        except (OSError, ReplayError) as error:
            self.problems.append(f"{where}.file: {error}")
            return None

    def _capture(self, value: object, where: str) -> tuple[str, Captured | None]:
        """Return the file's name and its stream, None where it cannot be had."""
        entry = self.mapping(value, where, {"file", "idcode", "addresses"})
        file = self.text(entry, "file", where)
        idcode = self.integer(entry, "idcode", where, 1, 65534) if "idcode" in entry else None
        addresses = self._addresses(entry, where)
        try:
            return file, replace(captured.read(self._folder / file, idcode), addresses=addresses)
        except (OSError, CapturedError) as error:
            self.problems.append(f"{where}.file: {error}")
            return file, None

    def _unique(self, streams: Sequence[tuple[str, tuple[Address, ...]]]) -> None:
        """Refuse names and addresses that stand there twice."""
        if not streams and not self.problems:
            self.problems.append("pmus: there is none")
        names = [name for name, _ in streams]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problems.append(f"pmus: name {name} stands there twice")
        ports = [
            (address.transport, address.host, address.port)
            for _, addresses in streams
            for address in addresses
            if address.port and not address.multicast
        ]
        for transport, host, port in sorted(
            {port for port in ports if ports.count(port) > 1}, key=str
        ):
            self.problems.append(
                f"pmus: {transport.value}://{host}:{port} is the address of two streams"
            )


def _numbered(pmu: Pmu, number: int) -> Pmu:
    """Return the PMU with its number in name, IDCODE and ports."""
    station = replace(
        pmu.layout.station, name=f"{pmu.name}-{number + 1}", idcode=pmu.idcode + number
    )
    addresses = tuple(
        replace(address, port=address.port + number) if address.port else address
        for address in pmu.addresses
    )
    return replace(pmu, layout=replace(pmu.layout, station=station), addresses=addresses)
