"""The channels of a simulated PMU: its station, and the quantity that each channel carries."""

import cmath
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grid.c37118 import (
    AnalogUnit,
    DigitalUnit,
    Format,
    PhasorUnit,
    Station,
    unit_factor,
)
from grid.documents.channels import DIGITALS_A_WORD, Phasor
from grid.pmu.signals.signal import QUANTITIES, LineLevel

HEADROOM = 2.0
"""Integer phasors can show this many times the undisturbed value."""

_A = cmath.rect(1.0, 2 * math.pi / 3)
_PHASES = "ABC"
_SEQUENCES = {
    "+": (1 / 3, _A / 3, _A * _A / 3),
    "-": (1 / 3, _A * _A / 3, _A / 3),
    "0": (1 / 3, 1 / 3, 1 / 3),
}
_MEGA = 1e6


@dataclass(frozen=True, kw_only=True)
class Analog:
    """An analog channel."""

    label: str
    """Its name, at most 16 characters."""
    quantity: str
    """P (three-phase active power, MW) or Q (reactive, Mvar)."""


@dataclass(frozen=True, kw_only=True)
class PmuChannels:
    """A station, and the quantity of each of its channels."""

    station: Station
    """As it stands in the configuration."""
    phasors: tuple[Phasor, ...]
    """In the order of the station's."""
    analogs: tuple[Analog, ...] = ()
    """In the order of the station's."""

    @classmethod
    def scaled(
        cls,
        *,
        name: str,
        idcode: int,
        form: Format,
        nominal_hz: int,
        level: LineLevel,
        phasors: Sequence[Phasor],
        analogs: Sequence[Analog] = (),
        digitals: Sequence[Sequence[str]] = (),
    ) -> "PmuChannels":
        """Return the channels of a PMU whose integers reach twice the undisturbed values."""
        volt = unit_factor(HEADROOM * level.voltage_v)
        ampere = unit_factor(HEADROOM * level.current_a)
        station = Station(
            name=name,
            idcode=idcode,
            format=form,
            phasors=tuple(phasor.label for phasor in phasors),
            phasor_units=tuple(
                PhasorUnit(kind=0, factor=volt)
                if phasor.type == "V"
                else PhasorUnit(kind=1, factor=ampere)
                for phasor in phasors
            ),
            analogs=tuple(analog.label for analog in analogs),
            analog_units=(AnalogUnit(kind=1, factor=1),) * len(analogs),
            digitals=tuple(label for word in digitals for label in _padded(word)),
            digital_units=tuple(
                DigitalUnit(normal=0, valid=(1 << len(word)) - 1) for word in digitals
            ),
            fnom=1 if nominal_hz == 50 else 0,
        )
        return cls(station=station, phasors=tuple(phasors), analogs=tuple(analogs))

    def only(self, labels: Sequence[str]) -> "PmuChannels":
        """Return the channels of these phasors, in this order; KeyError where one is none."""
        places = {phasor.label: place for place, phasor in enumerate(self.phasors)}
        chosen = [places[label] for label in labels]
        station = replace(
            self.station,
            phasors=tuple(labels),
            phasor_units=tuple(self.station.phasor_units[place] for place in chosen),
        )
        return replace(
            self, station=station, phasors=tuple(self.phasors[place] for place in chosen)
        )

    @functools.cached_property
    def _plain(self) -> bool:
        """Whether the channels are the six quantities themselves, in their order."""
        return tuple(phasor.type + phasor.phase for phasor in self.phasors) == QUANTITIES

    def phasors_of(self, quantities: Sequence[complex]) -> Sequence[complex]:
        """Return the channels' values, of the six of a sample (signal.QUANTITIES)."""
        if self._plain:
            return quantities
        return [_value(phasor, quantities) for phasor in self.phasors]

    def analogs_of(self, quantities: Sequence[complex]) -> tuple[float, ...]:
        """Return the analog values."""
        if not self.analogs:
            return ()
        power = sum(
            voltage * current.conjugate()
            for voltage, current in zip(quantities[:3], quantities[3:], strict=True)
        )
        return tuple(
            (power.real if analog.quantity == "P" else power.imag) / _MEGA
            for analog in self.analogs
        )


def _padded(word: Sequence[str]) -> list[str]:
    return [*word, *[""] * (DIGITALS_A_WORD - len(word))]


def _value(phasor: Phasor, quantities: Sequence[complex]) -> complex:
    first = 0 if phasor.type == "V" else 3
    place = _PHASES.find(phasor.phase)
    if place >= 0:
        return quantities[first + place]
    return sum(
        (
            factor * quantity
            for factor, quantity in zip(
                _SEQUENCES[phasor.phase], quantities[first : first + 3], strict=True
            )
        ),
        0j,
    )
