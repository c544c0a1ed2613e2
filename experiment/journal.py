"""What faults tell, written to the run's history."""

from lab.faults.fault import Fault
from measurements import events
from measurements.history import Recorder


class HistoryJournal:
    """Records each step of a fault as it happens."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def starting(self, fault: Fault) -> None:
        """Record that the fault is about to be applied."""
        self._recorder.record(events.FaultStart(fault=fault.name, target=fault.target))

    def in_force(self, fault: Fault, t_ns: int) -> None:
        """Record that it was in force at `t_ns`."""
        body = events.FaultInForce(fault=fault.name, target=fault.target)
        self._recorder.record(body, t_ns=t_ns)

    def stopping(self, fault: Fault) -> None:
        """Record that healing begins."""
        self._recorder.record(events.FaultStop(fault=fault.name, target=fault.target))

    def healed(self, fault: Fault) -> None:
        """Record that the fault is gone."""
        self._recorder.record(events.FaultHealed(fault=fault.name, target=fault.target))
