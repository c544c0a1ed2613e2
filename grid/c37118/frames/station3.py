"""One PMU's part of a CFG-3 (6.4.4, tables 10 to 12)."""

import math
import struct
from dataclasses import dataclass

from grid.c37118.errors import FrameError
from grid.c37118.frames.body_reader import BodyReader
from grid.c37118.frames.scale import COMPONENTS, CURRENT, AnalogScale, Component, PhasorScale
from grid.c37118.frames.station import DigitalUnit, Format, Station, check_channels, encode_word

_PHSCALE = struct.Struct(">HBBff")
_ANSCALE = struct.Struct(">ff")
_TAIL = struct.Struct(">fffsiiHH")
_LONGEST_NAME = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Station3:
    """One PMU of a CFG-3: what CFG-2 says, with long names, position and filter properties."""

    name: str
    """Station name, at most 255 bytes of UTF-8, as all names here."""
    idcode: int
    """The PMU's own id, 16 bits."""
    global_id: bytes = bytes(16)
    """G_PMU_ID: 16 bytes of the user's choice; zeros: none."""
    format: Format
    """How its numbers are written."""
    phasors: tuple[str, ...] = ()
    """Names of the phasors."""
    phasor_units: tuple[PhasorScale, ...] = ()
    """One a phasor."""
    analogs: tuple[str, ...] = ()
    """Names of the analog values."""
    analog_units: tuple[AnalogScale, ...] = ()
    """One an analog value."""
    digitals: tuple[str, ...] = ()
    """Names of the digital inputs, 16 a word, bit 0 first."""
    digital_units: tuple[DigitalUnit, ...] = ()
    """One a digital word."""
    latitude_deg: float = math.inf
    """North of the equator, WGS 84; infinity: not specified, as for the next two."""
    longitude_deg: float = math.inf
    """East of Greenwich."""
    elevation_m: float = math.inf
    """Above mean sea level."""
    service_class: str = "M"
    """M (measurement) or P (protection); any one byte is read."""
    window_us: int = 0
    """Length of the measurement's window, in microseconds."""
    group_delay_us: int = 0
    """Delay of its filters in microseconds, already corrected for in the time stamps."""
    fnom: int = 1
    """FNOM: bit 0 is 1 for 50 Hz and 0 for 60 Hz."""
    change_count: int = 0
    """CFGCNT: counts the changes of this configuration, 16 bits."""

    @property
    def nominal_hz(self) -> float:
        """The nominal frequency of the line, in Hz."""
        return 50.0 if self.fnom & 1 else 60.0

    @classmethod
    def of(cls, station: Station) -> "Station3":
        """Return the content of a CFG-2; what it lacks is unspecified.

        A phasor is of the phase or sequence that its name ends with (A, B, C, +, -, 0), and
        of the positive sequence otherwise: CFG-3 has no value for an unknown one.
        """
        floats = station.format.float_phasors
        return cls(
            name=station.name,
            idcode=station.idcode,
            format=station.format,
            phasors=station.phasors,
            phasor_units=tuple(
                PhasorScale(
                    kind=(CURRENT if unit.kind == 1 else 0)
                    | COMPONENTS.get(name[-1:].upper(), Component.POSITIVE),
                    scale=1.0 if floats else unit.scale,
                )
                for name, unit in zip(station.phasors, station.phasor_units, strict=True)
            ),
            analogs=station.analogs,
            analog_units=(AnalogScale(),) * len(station.analogs),
            digitals=station.digitals,
            digital_units=station.digital_units,
            fnom=station.fnom,
            change_count=station.change_count,
        )

    @classmethod
    def decode(cls, reader: BodyReader) -> "Station3":
        """Read one PMU's part at the reader's position."""
        name = reader.counted_name("station name")
        idcode = reader.word("PMU id")
        global_id = reader.take(16, "G_PMU_ID")
        form = Format.from_word(reader.word("FORMAT"))
        phasors, analogs, digitals = (reader.word(what) for what in ("PHNMR", "ANNMR", "DGNMR"))
        # Before the names are read, so that a wrong count costs no time.
        reader.require(
            13 * phasors + 9 * analogs + 20 * digitals + _TAIL.size,
            f"the channels of PMU {idcode}",
        )
        phasor_names, analog_names, digital_names = (
            tuple(reader.counted_name(f"{what} name") for _ in range(count))
            for what, count in (
                ("phasor", phasors),
                ("analog", analogs),
                ("digital", 16 * digitals),
            )
        )
        phasor_units = tuple(
            PhasorScale(kind=kind, scale=scale, angle_rad=angle, modifications=flags, user=user)
            for flags, kind, user, scale, angle in reader.unpack(_PHSCALE, phasors, "PHSCALE")
        )
        analog_units = tuple(
            AnalogScale(scale=scale, offset=offset)
            for scale, offset in reader.unpack(_ANSCALE, analogs, "ANSCALE")
        )
        digital_units = tuple(
            DigitalUnit(normal=reader.word("DIGUNIT"), valid=reader.word("DIGUNIT"))
            for _ in range(digitals)
        )
        ((latitude, longitude, elevation, service, window, delay, fnom, count),) = reader.unpack(
            _TAIL, 1, "the end of a PMU's part"
        )
        return cls(
            name=name,
            idcode=idcode,
            global_id=global_id,
            format=form,
            phasors=phasor_names,
            phasor_units=phasor_units,
            analogs=analog_names,
            analog_units=analog_units,
            digitals=digital_names,
            digital_units=digital_units,
            latitude_deg=latitude,
            longitude_deg=longitude,
            elevation_m=elevation,
            service_class=service.decode("latin-1"),
            window_us=window,
            group_delay_us=delay,
            fnom=fnom,
            change_count=count,
        )

    def encode(self) -> bytes:
        """Return this PMU's part of a CFG-3."""
        if len(self.global_id) != 16:
            raise FrameError(f"PMU {self.idcode}: G_PMU_ID has {len(self.global_id)} bytes, not 16")
        words = (
            self.format.to_word(),
            len(self.phasors),
            len(self.analogs),
            len(self.digital_units),
        )
        names = (*self.phasors, *self.analogs, *self.digitals)
        check_channels(
            self.idcode,
            (self.phasors, self.analogs, self.digitals),
            (self.phasor_units, self.analog_units, self.digital_units),
        )
        parts = [_name(self.name), encode_word(self.idcode), self.global_id]
        parts += [encode_word(word) for word in words]
        parts += [_name(name) for name in names]
        try:
            parts += [
                _PHSCALE.pack(unit.modifications, unit.kind, unit.user, unit.scale, unit.angle_rad)
                for unit in self.phasor_units
            ]
            parts += [_ANSCALE.pack(unit.scale, unit.offset) for unit in self.analog_units]
            parts += [
                encode_word(unit.normal) + encode_word(unit.valid) for unit in self.digital_units
            ]
            service = self.service_class.encode("latin-1")
            if len(service) != 1:
                raise FrameError(f"service class {self.service_class!r} is not one character")
            parts.append(
                _TAIL.pack(
                    self.latitude_deg,
                    self.longitude_deg,
                    self.elevation_m,
                    service,
                    self.window_us,
                    self.group_delay_us,
                    self.fnom,
                    self.change_count,
                )
            )
        except (struct.error, OverflowError, UnicodeEncodeError) as error:
            raise FrameError(
                f"PMU {self.idcode}: a value does not fit into CFG-3: {error}"
            ) from error
        return b"".join(parts)


def _name(name: str) -> bytes:
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise FrameError(f"name {name!r} cannot be written as UTF-8") from error
    if len(raw) > _LONGEST_NAME:
        raise FrameError(f"name {name!r} is longer than {_LONGEST_NAME} bytes")
    return bytes([len(raw)]) + raw
