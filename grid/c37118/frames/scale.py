"""PHSCALE and ANSCALE: kind and scale of the channels of a CFG-3 (table 11)."""

import enum
from dataclasses import dataclass

from grid.c37118.frames.station import Format

CURRENT = 0x08
"""The bit of a phasor's kind that says current."""


class Component(enum.IntEnum):
    """The phase or sequence of a phasor; 3 and 7 are reserved."""

    ZERO = 0
    POSITIVE = 1
    NEGATIVE = 2
    RESERVED_3 = 3
    A = 4
    B = 5
    C = 6
    RESERVED_7 = 7


COMPONENTS = {
    "A": Component.A,
    "B": Component.B,
    "C": Component.C,
    "+": Component.POSITIVE,
    "-": Component.NEGATIVE,
    "0": Component.ZERO,
}
"""Components by the letters that name phases and sequences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhasorScale:
    """PHSCALE: kind, scale and angle offset of one phasor."""

    kind: int
    """Bit 3: 0 voltage, 1 current; bits 2-0: the Component; bits 7-4 reserved."""
    scale: float
    """Volts or amperes a unit of the transmitted magnitude; 1 where that is in V or A."""
    angle_rad: float = 0.0
    """Subtracted from the transmitted angle, in radians."""
    modifications: int = 0
    """Bit 1 upsampled with interpolation, 2 with extrapolation, 3 downsampled by selection,
    4 with a FIR filter, 5 with another filter, 6 filtered; magnitude (7) or phase (8)
    calibrated, phase rotated (9), combined from other phasors (10), otherwise changed (15)."""
    user: int = 0
    """A byte for the user."""

    def conversion(self, form: Format) -> tuple[float, float]:
        """Return V or A a unit, and the angle to be subtracted in radians, in any format."""
        del form  # CFG-3 scales floats too, by 1 where they are in V or A already.
        return self.scale, self.angle_rad

    @property
    def is_current(self) -> bool:
        """Whether it is a current, not a voltage."""
        return bool(self.kind & CURRENT)

    @property
    def component(self) -> Component:
        """Phase or sequence."""
        return Component(self.kind & 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalogScale:
    """ANSCALE: the value is `scale` times the transmitted number, plus `offset`."""

    scale: float = 1.0
    """The user's units a unit of the transmitted number."""
    offset: float = 0.0
    """In the user's units."""
