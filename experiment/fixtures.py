"""Fixtures of the cases: a lab under the probes, its steady state, a case that is recorded."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from experiment import cases, session
from experiment.cases import RunCase
from experiment.plugin import RUNS
from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.console.errors import LabError
from lab.console.progress import Step, Terminal
from lab.faults import heal


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case on each lab."""
    if "measured" in metafunc.fixturenames:
        labs = metafunc.config.stash[RUNS].labs
        metafunc.parametrize("measured", labs, indirect=True, scope="session")


class TerminalProgress:
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
def progress(request: pytest.FixtureRequest) -> TerminalProgress:
    """Return where waits are shown."""
    return TerminalProgress(request.config.pluginmanager.getplugin("capturemanager"))


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest, progress: TerminalProgress) -> Iterator[MeasuredLab]:
    """Return a running lab under the probes, and the run that it is measured in.

    Meanwhile no other command may change the lab, nor another session measure it. A fault
    that an earlier session left in force is healed first.
    """
    runs = request.config.stash[RUNS]
    with contextlib.ExitStack() as stack:
        try:
            lab, about = session.look_up(request.param)
            stack.enter_context(lab.state.lock())
            for healed in heal.heal(lab.nodes):
                progress.note(f"  A fault of an earlier session was still in force; {healed}")
        except LabError as error:
            _refuse(request.config, f"Nothing was broken. {error}")
        begun = stack.enter_context(session.measure(lab, about, runs.reports))
        runs.directories.append(begun.run.directory)
        yield begun


def _refuse(config: pytest.Config, why: str) -> NoReturn:
    """End the session with one sentence, or under xdist each of this lab's cases."""
    if hasattr(config, "workerinput"):
        pytest.fail(why, pytrace=False)
    pytest.exit(why, returncode=2)


@pytest.fixture
def steady(measured: MeasuredLab, progress: TerminalProgress) -> SteadyState:
    """Return what waits for the steady state."""
    return SteadyState(
        lab=measured.lab, consumer=measured.consumer, writer=measured.writer, progress=progress
    )


@pytest.fixture
def run_case(
    request: pytest.FixtureRequest, measured: MeasuredLab, progress: TerminalProgress
) -> RunCase:
    """Return the context manager that records a case under the name of its test."""
    name = cases.name_of(request.function.__name__)
    return functools.partial(cases.run, name=name, measured=measured, progress=progress)
