"""The channels of a PMU, as the documents of PMU and PDC describe them."""

from dataclasses import dataclass

PHASES = "ABC+-0"
"""Phases, and the positive, negative and zero sequence."""
DIGITALS_A_WORD = 16


@dataclass(frozen=True, kw_only=True)
class Phasor:
    """One phasor of a PMU."""

    label: str
    """Channel name, at most 16 characters."""
    type: str
    """V for voltage, I for current."""
    phase: str
    """A, B, C, + (positive), - (negative) or 0 (zero sequence)."""


def implied(label: str) -> Phasor | None:
    """Return the phasor that a label like VA, IC or V+ stands for; None for other labels."""
    if len(label) == 2 and label[0] in "VI" and label[1] in PHASES:
        return Phasor(label=label, type=label[0], phase=label[1])
    return None
