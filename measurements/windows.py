"""Predicted windows: when a stage of a recovery may be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a stage may be reached, counted from the moment the fault was in force."""

    earliest_s: float
    """Seconds before which the timers forbid the stage."""
    latest_s: float
    """Seconds after which it counts as missed."""
    why: str
    """The arithmetic, in words."""

    def later(self, allowance_s: float, why: str) -> "Window":
        """Return the window of a stage that follows this one within `allowance_s` seconds."""
        return Window(earliest_s=self.earliest_s, latest_s=self.latest_s + allowance_s, why=why)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the window that a history holds; raises KeyError or ValueError for another."""
        return cls(
            earliest_s=float(values["earliest_s"]),
            latest_s=float(values["latest_s"]),
            why=str(values["why"]),
        )


Windows = Mapping[str, Window]
"""Stage -> its window, in the order of the stages."""
