"""Fixtures of the cases: a lab that runs, a run that is written, and a way to break things."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from experiment import session
from experiment.journal import HistoryJournal
from experiment.session import Session
from experiment.steady import Steady
from lab.config import inventory
from lab.console.errors import LabError
from lab.console.progress import Step, Terminal
from lab.faults.fault import Fault, inject

HEAL_AFTER_S = 90.0
"""How much longer than a case may take a node waits until it heals by itself."""

Break = Callable[..., AbstractContextManager[None]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case on each lab."""
    if "measured" in metafunc.fixturenames:
        metafunc.parametrize("measured", _labs(metafunc.config), indirect=True, scope="session")


def _labs(config: pytest.Config) -> list[str]:
    """Return the names of the labs to break."""
    if named := config.getoption("--lab"):
        return list(dict.fromkeys(named))
    if directory := config.getoption("--inventory"):
        try:
            return [inventory.load(directory).settings.lab_name]
        except LabError as error:
            raise pytest.UsageError(str(error)) from None
    return [os.environ.get("LAB_NAME", "blackstart")]


class Shown:
    """Progress on the terminal while pytest keeps everything else for itself."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture

    def note(self, line: str) -> None:
        """Print a line that stays."""
        with self._capture.global_and_fixture_disabled():
            Terminal().note(line)

    @contextlib.contextmanager
    def step(self, title: str, *, limit_s: float | None = None) -> Iterator[Step]:
        """Show a step until its block ends."""
        with (
            self._capture.global_and_fixture_disabled(),
            Terminal().step(title, limit_s=limit_s) as step,
        ):
            yield step


@pytest.fixture(scope="session")
def progress(request: pytest.FixtureRequest) -> Shown:
    """Return where waits are shown."""
    return Shown(request.config.pluginmanager.getplugin("capturemanager"))


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest, reports: Path, runs: list[Path]) -> Iterator[Session]:
    """Return a running lab under the probes, and the run that it is measured in.

    Meanwhile no other command may change the lab, nor another session measure it.
    """
    with contextlib.ExitStack() as stack:
        try:
            lab, about = session.look_up(request.param)
            stack.enter_context(lab.state.lock())
        except LabError as error:
            _refuse(request.config, f"Nothing was broken. {error}")
        begun = stack.enter_context(session.begin(lab, about, reports))
        runs.append(begun.run.directory)
        yield begun


def _refuse(config: pytest.Config, why: str) -> NoReturn:
    """End the session with one sentence, or under xdist each of this lab's cases."""
    if hasattr(config, "workerinput"):
        pytest.fail(why, pytrace=False)
    pytest.exit(why, returncode=2)


@pytest.fixture
def steady(measured: Session, progress: Shown) -> Steady:
    """Return what waits for the steady state."""
    return Steady(
        lab=measured.lab, consumer=measured.consumer, writer=measured.writer, progress=progress
    )


@pytest.fixture
def breaking(measured: Session, progress: Shown) -> Break:
    """Return the context manager that keeps a fault in force, recorded and shown."""
    journal = HistoryJournal(measured.run.history)

    @contextlib.contextmanager
    def keep(fault: Fault, *, limit_s: float) -> Iterator[None]:
        with (
            progress.step(f"Recovery from: {fault.name} {fault.target}", limit_s=limit_s),
            inject(
                fault,
                lab_name=measured.lab.name,
                journal=journal,
                limit_s=limit_s + HEAL_AFTER_S,
            ),
        ):
            yield

    return keep
