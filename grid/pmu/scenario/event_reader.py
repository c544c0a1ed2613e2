"""Reads the events of a scenario document."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grid.c37118 import DataError
from grid.pmu.scenario.fields import ScenarioFields
from grid.pmu.scenario.model import ScenarioEvent, SimulatedPmu
from grid.pmu.scenario.pmu_faults import (
    ClockLoss,
    ConfigurationChange,
    DigitalInputs,
    PmuFault,
    Silence,
    StampOffset,
    StatusFlags,
    WrongCrc,
)
from grid.pmu.signals.disturbance import (
    Disturbance,
    FrequencyRamp,
    MagnitudeStep,
    Oscillation,
    PhaseStep,
)
from grid.pmu.signals.schedule import NS

TRANSITION_S = 0.04
"""Two cycles of 50 Hz: the window of a PMU of class P."""
_COMMON = {"kind", "start", "repeat_s", "duration_s", "pmus"}
_ERRORS = {
    "none": DataError.GOOD,
    "pmu-error": DataError.PMU_ERROR,
    "test-mode": DataError.ABSENT,
    "invalid": DataError.INVALID,
}
_TRIGGERS = {
    "manual": 0,
    "magnitude-low": 1,
    "magnitude-high": 2,
    "phase-angle": 3,
    "frequency": 4,
    "rocof": 5,
    "digital": 7,
}

_Entry = Mapping[str, Any]
_Made = Disturbance | PmuFault


class EventReader:
    """Reads events, for PMUs that were read before."""

    def __init__(self, fields: ScenarioFields, pmus: Sequence[SimulatedPmu]) -> None:
        self._fields = fields
        self._pmus = {pmu.name: pmu for pmu in pmus}
        self._kinds: dict[str, tuple[set[str], Callable[[_Entry, str], _Made]]] = {
            "phase-step": ({"angle_deg", "transition_s"}, self._phase_step),
            "magnitude-step": (
                {"voltage_percent", "current_percent", "phases", "transition_s"},
                self._magnitude_step,
            ),
            "oscillation": (
                {"frequency_hz", "angle_deg", "voltage_percent", "damping"},
                self._oscillation,
            ),
            "frequency-ramp": ({"deviation_hz", "rate_hz_s"}, self._ramp),
            "status": ({"error", "trigger", "sorted_by_arrival", "modified"}, self._status),
            "clock-lost": ({"drift_us_s"}, self._clock_lost),
            "clock-offset": ({"offset_s"}, self._clock_offset),
            "wrong-crc": ({"every"}, self._wrong_crc),
            "silence": (set(), self._silence),
            "digital": ({"inputs"}, self._digital),
            "configuration-change": ({"phasors"}, self._configuration_change),
        }

    def event(self, value: object, where: str) -> ScenarioEvent | None:
        """Return the event of an entry, None where even its kind is wrong."""
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in self._kinds:
            known = ", ".join(self._kinds)
            self._fields.problems.append(f"{where}.kind: {kind!r} is none of {known}")
            return None
        keys, make = self._kinds[kind]
        entry = self._fields.mapping(value, where, _COMMON | keys)
        what = make(entry, where)
        shares = self._shares(entry, where, disturbance=not isinstance(what, PmuFault))
        event = ScenarioEvent(what=what, shares=shares)
        self._check_channels(event, where)
        return event

    def _shares(self, entry: _Entry, where: str, *, disturbance: bool) -> dict[str, float] | None:
        value = entry.get("pmus")
        if value is None:
            return None
        at = f"{where}.pmus"
        if isinstance(value, dict) and disturbance:
            shares = {str(name): self._fields.number(value, name, at, -10, 10) for name in value}
        else:
            shares = {str(name): 1.0 for name in self._fields.sequence(value, at)}
        unknown = sorted(shares.keys() - self._pmus.keys())
        if unknown:
            self._fields.problems.append(f"{at}: no PMU is called {', '.join(unknown)}")
        return shares

    def _check_channels(self, event: ScenarioEvent, where: str) -> None:
        """Refuse channels that a touched PMU doesn't have."""
        for pmu in self._pmus.values():
            if not event.share(pmu.name):
                continue
            station = pmu.channels.station
            wanted: set[str] = set()
            if isinstance(event.what, ConfigurationChange):
                wanted = set(event.what.phasors) - set(station.phasors)
            elif isinstance(event.what, DigitalInputs):
                wanted = set(event.what.inputs) - set(station.digitals)
            if wanted:
                self._fields.problems.append(
                    f"{where}: {pmu.name} has no channel {', '.join(sorted(wanted))}"
                )

    def _phase_step(self, entry: _Entry, where: str) -> _Made:
        transition = self._fields.number(entry, "transition_s", where, 0.001, 60, TRANSITION_S)
        span = self._fields.span(entry, where, least_s=2 * transition)
        return PhaseStep(
            schedule=span.schedule,
            duration_s=span.duration_s,
            angle_deg=self._fields.number(entry, "angle_deg", where, -180, 180),
            transition_s=transition,
        )

    def _magnitude_step(self, entry: _Entry, where: str) -> _Made:
        transition = self._fields.number(entry, "transition_s", where, 0.001, 60, TRANSITION_S)
        span = self._fields.span(entry, where, least_s=2 * transition)
        if not {"voltage_percent", "current_percent"} & entry.keys():
            self._fields.problems.append(f"{where}: voltage_percent or current_percent is missing")
        phases = self._fields.text(entry, "phases", where, "ABC")
        if not phases or set(phases) - set("ABC"):
            self._fields.problems.append(f"{where}.phases: {phases!r} is none of A, AB, ABC, ...")
        return MagnitudeStep(
            schedule=span.schedule,
            duration_s=span.duration_s,
            voltage_percent=self._fields.number(entry, "voltage_percent", where, -100, 1000, 0),
            current_percent=self._fields.number(entry, "current_percent", where, -100, 10_000, 0),
            phases=tuple(place for place, phase in enumerate("ABC") if phase in phases),
            transition_s=transition,
        )

    def _oscillation(self, entry: _Entry, where: str) -> _Made:
        frequency = self._fields.number(entry, "frequency_hz", where, 0.01, 20)
        damping = self._fields.number(entry, "damping", where, -0.5, 0.99, 0)
        span = self._fields.span(entry, where, least_s=2 / max(frequency, 0.01))
        if not {"angle_deg", "voltage_percent"} & entry.keys():
            self._fields.problems.append(f"{where}: angle_deg or voltage_percent is missing")
        if damping < 0 and span.duration_s is None:
            self._fields.problems.append(f"{where}.duration_s: an oscillation that grows needs one")
        return Oscillation(
            schedule=span.schedule,
            duration_s=span.duration_s,
            frequency_hz=frequency,
            angle_deg=self._fields.number(entry, "angle_deg", where, -180, 180, 0),
            voltage_percent=self._fields.number(entry, "voltage_percent", where, -100, 100, 0),
            damping=damping,
        )

    def _ramp(self, entry: _Entry, where: str) -> _Made:
        deviation = self._fields.number(entry, "deviation_hz", where, -20, 20)
        rate = self._fields.number(entry, "rate_hz_s", where, 0.001, 1000)
        least = 2 * abs(deviation) / rate
        span = self._fields.span(entry, where, least_s=least)
        if span.duration_s is None:
            self._fields.problems.append(f"{where}.duration_s: a ramp needs one")
        return FrequencyRamp(
            schedule=span.schedule,
            duration_s=span.duration_s or least,
            deviation_hz=deviation,
            rate_hz_s=rate,
        )

    def _status(self, entry: _Entry, where: str) -> _Made:
        bits: dict[str, Any] = {
            key: True
            for key in ("sorted_by_arrival", "modified")
            if self._fields.flag(entry, key, where)
        }
        if "error" in entry:
            bits["data_error"] = self._fields.one_of(entry, "error", where, _ERRORS, "none")
        if "trigger" in entry:
            reason = self._fields.one_of(entry, "trigger", where, _TRIGGERS, "manual")
            bits |= {"trigger": True, "trigger_reason": reason}
        if not bits:
            self._fields.problems.append(f"{where}: error, trigger or another bit is missing")
        return StatusFlags(span=self._fields.span(entry, where), bits=bits)

    def _clock_lost(self, entry: _Entry, where: str) -> _Made:
        return ClockLoss(
            span=self._fields.span(entry, where),
            drift_us_s=self._fields.number(entry, "drift_us_s", where, 0.001, 1e6, 1.0),
        )

    def _clock_offset(self, entry: _Entry, where: str) -> _Made:
        offset = self._fields.number(entry, "offset_s", where, -1e8, 1e8)
        return StampOffset(span=self._fields.span(entry, where), offset_ns=round(offset * NS))

    def _wrong_crc(self, entry: _Entry, where: str) -> _Made:
        return WrongCrc(
            span=self._fields.span(entry, where),
            every=self._fields.integer(entry, "every", where, 1, 1_000_000, 1),
        )

    def _silence(self, entry: _Entry, where: str) -> _Made:
        return Silence(span=self._fields.span(entry, where))

    def _digital(self, entry: _Entry, where: str) -> _Made:
        listed = self._fields.sequence(entry.get("inputs"), f"{where}.inputs")
        return DigitalInputs(
            span=self._fields.span(entry, where), inputs=frozenset(str(name) for name in listed)
        )

    def _configuration_change(self, entry: _Entry, where: str) -> _Made:
        listed = self._fields.sequence(entry.get("phasors"), f"{where}.phasors")
        return ConfigurationChange(
            span=self._fields.span(entry, where), phasors=tuple(str(name) for name in listed)
        )
