"""The plugin's options and hooks; whatever needs a lab is imported once a case is to run.

pytest loads this file in every session of the environment that it is installed in. So it
imports pytest and the standard library alone, and does nothing in a session that
has no measuring case.
"""

import argparse
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from experiment.stash import LEFT_OUT, RUNS

_CHOSEN = re.compile(r"(?<!not )\bfailover\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a session that breaks labs."""
    group = parser.getgroup("blackstart", "labs that are broken on purpose (-m failover)")
    group.addoption(
        "--lab",
        action="append",
        metavar="NAME",
        help="lab to break; may be repeated (default: $LAB_NAME, that of --inventory, blackstart)",
    )
    group.addoption(
        "--inventory",
        type=Path,
        metavar="DIRECTORY",
        help="inventory whose lab is broken",
    )
    group.addoption(
        "--reports",
        type=Path,
        metavar="DIRECTORY",
        help="where runs are written (default: reports/)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare a session that breaks labs; refuse one whose cases would disturb each other."""
    config.addinivalue_line(
        "markers", "failover: breaks a running lab on purpose and measures its recovery"
    )
    if not _is_chosen(config):
        return
    if disturbing := _disturbing(os.environ.get("PYTEST_ADDOPTS", "")):
        raise pytest.UsageError(
            f"PYTEST_ADDOPTS has {' '.join(disturbing)}, which changes which cases run, or how. "
            "Run it without: env -u PYTEST_ADDOPTS pytest -m failover"
        )
    is_worker = hasattr(config, "workerinput")
    in_parallel = not is_worker and config.getoption("numprocesses", None)
    if in_parallel and config.getoption("dist") != "loadgroup":
        raise pytest.UsageError(
            "Measurements that run side by side on one lab disturb each other. "
            "Leave -n out, or add --dist loadgroup to run several labs at once, one after "
            "the other within each."
        )
    try:
        from experiment import fixtures, runs  # noqa: PLC0415
        from lab.console import interruption  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise pytest.UsageError(
            f"Measuring cases need the Python package {error.name}. Install all that labs "
            "need with: pip install 'blackstart[lab]'"
        ) from None
    config.stash[RUNS] = runs.Runs(config)
    config.pluginmanager.register(fixtures, "blackstart-fixtures")
    config.add_cleanup(interruption.end_like_ctrl_c())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out measuring cases in a session that did not ask for them by their marker."""
    if _is_chosen(config):
        return
    unasked = [item for item in items if item.get_closest_marker("failover")]
    if unasked:
        config.stash[LEFT_OUT] = len(unasked)
        items[:] = [item for item in items if item not in unasked]
        config.hook.pytest_deselected(items=unasked)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Give all cases of one lab to one worker, and different labs to different ones."""
    runs = config.stash.get(RUNS, None)
    if runs is None:
        return None
    from experiment.scheduling import ByLab  # noqa: PLC0415

    return ByLab(config, log, labs=runs.labs)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what an xdist worker that ended has measured or left out."""
    output = getattr(node, "workeroutput", {})
    if runs := node.config.stash.get(RUNS, None):
        runs.directories += map(Path, output.get("blackstart_runs", []))
    if left_out := output.get("blackstart_left_out"):
        node.config.stash[LEFT_OUT] = left_out


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put pytest's result file beside each report, and render the reports again."""
    config = session.config
    runs = config.stash.get(RUNS, None)
    if hasattr(config, "workeroutput"):
        config.workeroutput["blackstart_runs"] = list(map(str, runs.directories if runs else []))
        config.workeroutput["blackstart_left_out"] = config.stash.get(LEFT_OUT, 0)
    elif runs and not runs.finish():
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each run's intervals and where its report is, or that cases were left out."""
    config = terminalreporter.config
    if left_out := config.stash.get(LEFT_OUT, 0):
        cases = "case was" if left_out == 1 else "cases were"
        terminalreporter.line(
            f"{left_out} measuring {cases} left out: measuring cases break a running lab, "
            "and run with `-m failover`"
        )
    if runs := config.stash.get(RUNS, None):
        from experiment import summary  # noqa: PLC0415

        summary.write(terminalreporter, runs)


def _disturbing(addopts: str) -> list[str]:
    """Return the words of PYTEST_ADDOPTS that change more than how a session looks."""
    known = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flags in ("-q --quiet", "-v --verbose", "-s", "-l --showlocals", "--no-header"):
        known.add_argument(*flags.split(), action="store_true")
    for flags in ("-r", "-m", "--tb", "--color", "--capture", "--durations", "--show-capture"):
        known.add_argument(*flags.split())
    for flags in ("--lab", "--inventory", "--reports", "--junitxml", "--junit-xml"):
        known.add_argument(flags)
    known.add_argument("-p", action="append", default=[])
    understood, disturbing = known.parse_known_args(shlex.split(addopts))
    return disturbing + [f"-p {name}" for name in understood.p if name != "no:cacheprovider"]


def _is_chosen(config: pytest.Config) -> bool:
    return bool(_CHOSEN.search(config.getoption("markexpr", "") or ""))
