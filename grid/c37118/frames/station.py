"""One PMU's part of a configuration frame (6.4, table 8)."""

import math
from collections.abc import Iterable, Sized
from dataclasses import dataclass

from grid.c37118.errors import FrameError
from grid.c37118.frames.body_reader import BodyReader

NAME_SIZE = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """FORMAT: how one PMU's numbers are written in data frames."""

    polar: bool = False
    """Bit 0: phasors are magnitude and angle, not real and imaginary part."""
    float_phasors: bool = True
    """Bit 1: phasors are 32-bit floats, not scaled 16-bit integers."""
    float_analogs: bool = True
    """Bit 2: the same for analog values."""
    float_frequency: bool = True
    """Bit 3: the same for FREQ and DFREQ."""
    reserved: int = 0
    """Bits 15-4; kept so that a decoded frame encodes to the same bytes."""

    @classmethod
    def from_word(cls, word: int) -> "Format":
        """Return what the 16-bit word says."""
        return cls(
            polar=bool(word & 1),
            float_phasors=bool(word & 2),
            float_analogs=bool(word & 4),
            float_frequency=bool(word & 8),
            reserved=word >> 4,
        )

    def to_word(self) -> int:
        """Return the 16-bit word."""
        if not 0 <= self.reserved <= 0xFFF:
            raise FrameError("the reserved bits of FORMAT are twelve")
        return (
            self.polar
            | self.float_phasors << 1
            | self.float_analogs << 2
            | self.float_frequency << 3
            | self.reserved << 4
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PhasorUnit:
    """PHUNIT: kind of one phasor, and the size of its integer steps."""

    kind: int
    """0 voltage, 1 current; any byte is read."""
    factor: int
    """One integer step in units of 1e-5 V or A, 24 bits; 0 and unused with floats."""

    @property
    def scale(self) -> float:
        """One integer step, in V or A."""
        return self.factor / 1e5

    def conversion(self, form: Format) -> tuple[float, float]:
        """Return V or A a unit, and the angle to be subtracted in radians, in a format."""
        return (1.0 if form.float_phasors else self.factor / 1e5), 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalogUnit:
    """ANUNIT: kind of one analog value; its scale is defined by the user."""

    kind: int
    """0 single point on wave, 1 rms, 2 peak; 64..255 are the user's own."""
    factor: int
    """The scale defined by the user, signed 24 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitalUnit:
    """DIGUNIT: the masks of one digital word."""

    normal: int
    """The state of each input when all is well, 16 bits."""
    valid: int
    """Which inputs exist, 16 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Station:
    """One PMU: its name, id, channels, formats and units.

    A digital word carries 16 names, bit 0 first. Names are at most 16 Latin-1
    characters; the padding with spaces is not part of a name here.
    """

    name: str
    """STN."""
    idcode: int
    """The PMU's own id, 16 bits."""
    format: Format
    """How its numbers are written."""
    phasors: tuple[str, ...] = ()
    """Names of the phasors."""
    phasor_units: tuple[PhasorUnit, ...] = ()
    """One a phasor."""
    analogs: tuple[str, ...] = ()
    """Names of the analog values."""
    analog_units: tuple[AnalogUnit, ...] = ()
    """One an analog value."""
    digitals: tuple[str, ...] = ()
    """Names of the digital inputs, 16 a word."""
    digital_units: tuple[DigitalUnit, ...] = ()
    """One a digital word."""
    fnom: int = 1
    """FNOM: bit 0 is 1 for 50 Hz and 0 for 60 Hz."""
    change_count: int = 0
    """CFGCNT: counts the changes of this configuration, 16 bits."""

    @property
    def nominal_hz(self) -> float:
        """The nominal frequency of the line, in Hz."""
        return 50.0 if self.fnom & 1 else 60.0

    @classmethod
    def decode(cls, reader: BodyReader) -> "Station":
        """Read one PMU's part at the reader's position."""
        name = reader.name("station name")
        idcode, word, phasors, analogs, digitals = (
            reader.word(what) for what in ("PMU id", "FORMAT", "PHNMR", "ANNMR", "DGNMR")
        )
        # Before the names are read, so that a wrong count costs no time.
        reader.require(
            NAME_SIZE * (phasors + analogs + 16 * digitals) + 4 * (phasors + analogs + digitals),
            f"the channels of PMU {idcode}",
        )
        return cls(
            name=name,
            idcode=idcode,
            format=Format.from_word(word),
            phasors=tuple(reader.name("phasor name") for _ in range(phasors)),
            analogs=tuple(reader.name("analog name") for _ in range(analogs)),
            digitals=tuple(reader.name("digital name") for _ in range(16 * digitals)),
            phasor_units=tuple(
                PhasorUnit(kind=kind, factor=factor)
                for kind, factor in (reader.unit() for _ in range(phasors))
            ),
            analog_units=tuple(
                AnalogUnit(kind=kind, factor=factor - ((factor & 0x800000) << 1))
                for kind, factor in (reader.unit() for _ in range(analogs))
            ),
            digital_units=tuple(
                DigitalUnit(normal=reader.word("DIGUNIT"), valid=reader.word("DIGUNIT"))
                for _ in range(digitals)
            ),
            fnom=reader.word("FNOM"),
            change_count=reader.word("CFGCNT"),
        )

    def encode(self) -> bytes:
        """Return this PMU's part of a configuration frame."""
        check_channels(
            self.idcode,
            (self.phasors, self.analogs, self.digitals),
            (self.phasor_units, self.analog_units, self.digital_units),
        )
        words = (
            self.idcode,
            self.format.to_word(),
            len(self.phasors),
            len(self.analogs),
            len(self.digital_units),
        )
        parts = [_name(self.name), *(encode_word(word) for word in words)]
        parts += [_name(name) for name in (*self.phasors, *self.analogs, *self.digitals)]
        parts += [_unit(unit.kind, unit.factor, 0, 0xFFFFFF) for unit in self.phasor_units]
        parts += [_unit(unit.kind, unit.factor, -0x800000, 0x7FFFFF) for unit in self.analog_units]
        parts += [encode_word(unit.normal) + encode_word(unit.valid) for unit in self.digital_units]
        parts += [encode_word(self.fnom), encode_word(self.change_count)]
        return b"".join(parts)


def check_channels(idcode: int, names: Iterable[Sized], units: Iterable[Sized]) -> None:
    """Raise FrameError where names and units of phasors, analogs and digitals don't agree."""
    for some, theirs, each in zip(names, units, (1, 1, 16), strict=True):
        if len(some) != each * len(theirs):
            raise FrameError(f"PMU {idcode}: {len(some)} channel names and {len(theirs)} units")


def unit_factor(largest: float) -> int:
    """Return the PHUNIT factor with which `largest` (V or A) fills the integer range."""
    return max(1, min(0xFFFFFF, math.ceil(largest / 32767 * 1e5)))


def _name(name: str) -> bytes:
    try:
        raw = name.encode("latin-1")
    except UnicodeEncodeError as error:
        raise FrameError(f"name {name!r} has a character outside Latin-1") from error
    if len(raw) > NAME_SIZE:
        raise FrameError(f"name {name!r} is longer than {NAME_SIZE} characters")
    return raw.ljust(NAME_SIZE)


def encode_word(value: int) -> bytes:
    """Return 16 bits, big-endian; FrameError if the value does not fit."""
    if not 0 <= value <= 0xFFFF:
        raise FrameError(f"{value} does not fit into 16 bits")
    return value.to_bytes(2, "big")


def _unit(kind: int, factor: int, low: int, high: int) -> bytes:
    if not 0 <= kind <= 0xFF or not low <= factor <= high:
        raise FrameError(f"unit of kind {kind} and factor {factor} does not fit")
    return (kind << 24 | factor & 0xFFFFFF).to_bytes(4, "big")
