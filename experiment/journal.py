"""The steps of a fault, written to the run's history."""

from typing import Any

from lab.faults.fault import Fault
from measurements import events
from measurements.history import Recorder


class HistoryJournal:
    """Records each step of a fault as it happens."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def starting(self, fault: Fault) -> None:
        """Record that the fault is about to be applied."""
        self._recorder.record(events.FaultStart(**_said(fault)))

    def in_force(self, fault: Fault, t_ns: int) -> None:
        """Record that it was in force at `t_ns` (monotonic clock, nanoseconds)."""
        self._recorder.record(events.FaultInForce(**_said(fault)), t_ns=t_ns)

    def stopping(self, fault: Fault) -> None:
        """Record that healing begins."""
        self._recorder.record(events.FaultStop(**_said(fault)))

    def healed(self, fault: Fault) -> None:
        """Record that the fault is gone."""
        self._recorder.record(events.FaultHealed(**_said(fault)))


def _said(fault: Fault) -> dict[str, Any]:
    return {
        "fault": fault.name,
        "target": fault.target,
        "lasts": fault.lasts,
        "breaks_node": fault.breaks_node,
    }
