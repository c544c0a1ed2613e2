"""A case: what a test declares, and what it does with the declaration while it runs."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from experiment.journal import HistoryJournal
from experiment.session import MeasuredLab
from lab.config.profiles import Profile
from lab.console.progress import Progress
from lab.faults.fault import Fault, inject
from measurements import events
from measurements.events import Recovery
from measurements.results import CaseResult
from measurements.run import RunningCase
from measurements.windows import Windows

MARGIN_S = 30.0
"""How long after the last window a case still waits, to see what comes too late."""
HEAL_AFTER_S = 30.0
"""How much longer than a case waits for its stages the timer on the node is: for what comes
before that wait, the fault's verification, and for the healing after it."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a case breaks, what it measures, and what it expects."""

    title: str
    """One sentence for the report: what is broken."""
    app: str
    """`app.kubernetes.io/name` of the pod whose recovery is measured."""
    fault: type[Fault]
    """The kind of fault, of `lab.faults.catalogue`."""
    recovery: Recovery
    """How that pod recovers."""
    windows: Callable[[Profile], Windows]
    """Predicts from the timers when each stage comes; the stages to wait for are its keys."""
    published: str | None = None
    """Key of the published value that the case is compared with; None for no such value."""


class CaseInProgress:
    """One case on one lab, while it runs."""

    def __init__(
        self, case: Case, recorded: RunningCase, measured: MeasuredLab, progress: Progress
    ) -> None:
        self._case = case
        self._recorded = recorded
        self._measured = measured
        self._progress = progress
        self._windows = case.windows(measured.profile)

    @property
    def limit_s(self) -> float:
        """Seconds for which the case waits for its stages."""
        return max(window.latest_s for window in self._windows.values()) + MARGIN_S

    @contextlib.contextmanager
    def inject(self, fault: Fault) -> Iterator[None]:
        """Keep `fault` in force during a `with` block, recorded and shown.

        Raises TypeError for another kind of fault than the case declares.
        """
        if not isinstance(fault, self._case.fault):
            raise TypeError(f"the case declares {self._case.fault.__name__}, not {fault!r}")
        with (
            self._progress.step(
                f"Recovery from: {fault.name} {fault.target}", limit_s=self.limit_s
            ),
            inject(
                fault,
                lab_name=self._measured.lab.name,
                journal=HistoryJournal(self._measured.run.history),
                limit_s=self.limit_s + HEAL_AFTER_S,
            ),
        ):
            yield

    def wait_for(self, *stages: str) -> CaseResult:
        """Wait until each of `stages` is reached; all predicted ones where none is named.

        Raises TimeoutError with the stages that are missing after `limit_s`, and why.
        """
        return self._recorded.wait_for(*(stages or self._windows), limit_s=self.limit_s)

    def measure(self) -> CaseResult:
        """Return what the history says about the case up to now."""
        return self._recorded.measure()


RunCase = Callable[[Case], AbstractContextManager[CaseInProgress]]
"""Runs a case during a `with` block: the fixture `run_case`."""


@contextlib.contextmanager
def run(
    case: Case, *, name: str, measured: MeasuredLab, progress: Progress
) -> Iterator[CaseInProgress]:
    """Record a case called `name` during a `with` block; its exception makes it failed."""
    declared = events.CaseStart(
        title=case.title,
        app=case.app,
        recovery=case.recovery,
        published=case.published,
        windows=case.windows(measured.profile),
    )
    with measured.run.case(name, declared) as recorded:
        yield CaseInProgress(case, recorded, measured, progress)


def name_of(test: str) -> str:
    """Return the name of the case that a test function holds: test_pdc_killed -> pdc-killed."""
    return test.removeprefix("test_").replace("_", "-")
