"""Scenario documents: YAML, checked as a whole."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grid.documents import yaml_text
from grid.pmu.clock import UNKNOWN, Clock, FixedClock, KernelClock, LeapSecond, within
from grid.pmu.scenario.event_reader import EventReader
from grid.pmu.scenario.fields import ScenarioFields
from grid.pmu.scenario.model import NOISE, WANDER_HZ, Scenario
from grid.pmu.scenario.pmu_reader import PmuReader
from grid.transport.address import Address

SHIPPED = Path(__file__).with_name("shipped")
"""The folder of the scenarios that come with this package."""

_TOP = {
    "seed", "nominal_hz", "noise", "wander_mhz", "clock", "leap_second", "pmus", "captures",
    "events",
}  # fmt: skip


def shipped() -> list[str]:
    """Return the names of the scenarios that come with this package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def load(name: str, *, process_ns: int | None = None) -> Scenario:
    """Read a scenario from a file, or by the name of one that comes with this package.

    OSError where there is none, DocumentError with all that is wrong in it.
    """
    path = Path(name)
    if not path.exists() and name in shipped():
        path = SHIPPED / f"{name}.yml"
    return loads(yaml_text.read(path), folder=path.parent, process_ns=process_ns)


def loads(text: str, *, folder: Path, process_ns: int | None = None) -> Scenario:
    """Read a YAML document; `folder` is where the files are that it names."""
    reader = _Reader(folder, time.time_ns() if process_ns is None else process_ns)
    scenario = reader.scenario(yaml_text.parse(text))
    reader.check()
    return scenario


class _Reader(ScenarioFields):
    """Reads the parts of a scenario."""

    def __init__(self, folder: Path, process_ns: int) -> None:
        super().__init__(process_ns)
        self._folder = folder

    def scenario(self, document: object) -> Scenario:
        top = self.mapping(document, "the scenario", _TOP)
        nominal_hz = self.one_of(top, "nominal_hz", "the scenario", {50: 50, 60: 60}, 50)
        reader = PmuReader(self, folder=self._folder, nominal_hz=nominal_hz)
        listed = self.sequence(top.get("pmus", []), "pmus")
        captures = [
            reader.capture(entry, f"captures[{index}]")
            for index, entry in enumerate(self.sequence(top.get("captures", []), "captures"))
        ]
        pmus = [
            pmu
            for index, entry in enumerate(listed)
            for pmu in reader.pmus(entry, f"pmus[{index}]")
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
