"""Options of the suites that need a running lab, and the rules under which they may run.

pytest reads options only from a conftest.py above the folders that it is given.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from measurements import report
from measurements.run import write_results

RUNS = pytest.StashKey[list[Path]]()
"""Directories of the runs that this session made."""
UNRENDERED = pytest.StashKey[dict[Path, str]]()
"""Runs whose report could not be written, and why."""
JUNIT = pytest.StashKey[Path]()
"""Where pytest writes its own result file, until it lies beside the reports."""
_CHOSEN = re.compile(r"(?<!not )\bfailover\b")


def pytest_addoption(parser: pytest.Parser) -> None:
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
    config.stash[RUNS] = []
    config.stash[UNRENDERED] = {}
    if hasattr(config, "workerinput") or not _CHOSEN.search(config.getoption("markexpr") or ""):
        return
    if config.getoption("numprocesses", None) and config.getoption("dist") != "loadgroup":
        raise pytest.UsageError(
            "Measurements that run side by side on one lab disturb each other. "
            "Leave -n out, or add --dist loadgroup to run several labs at once, one after "
            "the other within each."
        )
    if not config.getoption("xmlpath"):
        directory = reports_of(config)
        directory.mkdir(parents=True, exist_ok=True)
        config.stash[JUNIT] = directory / f".junit-{os.getpid()}.xml"
        config.option.xmlpath = str(config.stash[JUNIT])


@pytest.fixture(scope="session")
def reports(pytestconfig: pytest.Config) -> Path:
    """Return the directory in which runs are written."""
    return reports_of(pytestconfig)


@pytest.fixture(scope="session")
def runs(pytestconfig: pytest.Config) -> list[Path]:
    """Return the list to which every new run's directory is added."""
    return pytestconfig.stash[RUNS]


def reports_of(config: pytest.Config) -> Path:
    """Return what --reports says, or reports/ of the project."""
    chosen: Path | None = config.getoption("--reports")
    return chosen or config.rootpath / "reports"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Give all cases of one lab to one worker, and different labs to different ones.

    xdist's own grouping rewrites the tests' names, which pytest 9.2 ignores: the groups
    fall apart without a word (pytest-dev/pytest-xdist#1386). The lab's name stands in
    the test's own.
    """
    if not _CHOSEN.search(config.getoption("markexpr") or ""):
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - for development only

    class ByLab(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.rpartition("[")[2]

    return ByLab(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: pytest.Session) -> None:
    """Take over the runs of an xdist worker that ended."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[RUNS] += [Path(run) for run in output.get("blackstart_runs", [])]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put pytest's result file beside each report, and render the reports again."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["blackstart_runs"] = list(map(str, config.stash[RUNS]))
        return
    junit = Path(config.option.xmlpath) if config.option.xmlpath else None
    for directory in config.stash[RUNS]:
        if junit and junit.exists():
            shutil.copyfile(junit, directory / "junit.xml")
        try:
            write_results(directory)
            report.render(directory)
        except Exception as error:
            config.stash[UNRENDERED][directory] = f"{type(error).__name__}: {error}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
    if own := config.stash.get(JUNIT, None):
        own.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each case's intervals, and where the report is."""
    for directory in terminalreporter.config.stash[RUNS]:
        terminalreporter.section(f"measured: {directory.name}")
        try:
            cases = json.loads((directory / "results.json").read_text())["cases"]
        except (OSError, ValueError, KeyError):
            cases = []
        for case in cases:
            terminalreporter.line(f"{case['name']}: {case['outcome']}")
            for stage, interval in case["intervals"].items():
                if interval["seconds"] is None:
                    continue
                window = case["windows"].get(stage)
                predicted = (
                    f"   predicted {window['earliest_s']:.1f} to {window['latest_s']:.1f} s"
                    if window
                    else ""
                )
                terminalreporter.line(f"  {stage:<10} {interval['seconds']:8.2f} s{predicted}")
            if frames := case["frames"]:
                terminalreporter.line(
                    f"  frames lost {frames['lost']} of {frames['expected']}, "
                    f"longest gap {frames['gap_s']:.2f} s"
                )
        if why := terminalreporter.config.stash[UNRENDERED].get(directory):
            terminalreporter.line(f"The report could not be written: {why}", red=True)
            terminalreporter.line(f"Try again: python -m measurements.report {directory}")
        else:
            terminalreporter.line(f"report: {directory / 'index.html'}")
