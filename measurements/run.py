"""A run while it is measured: its history, its cases, and the report made of them."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from measurements import (
    cases,
    events,
    history,
    intervals,
    machine,
    published,
    report,
    results,
    run_directory,
)

_SECRET = re.compile(r"password|passwd|secret|token|private|credential|(^|_)key(s|_data)?$", re.I)
_MANY = (events.FrameArrived, events.RowAcknowledged)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Run:
    """One run of the measuring suite and its directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.history = history.Recorder(directory / run_directory.HISTORY)

    @classmethod
    def create(
        cls,
        reports: Path,
        name: str,
        *,
        lab: Mapping[str, Any],
        profile: Mapping[str, Any],
        versions: Mapping[str, str],
        measuring: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make a new run directory in `reports`, and point `latest` at it.

        `lab` is every setting of the lab, `profile` every timer of its profile,
        `versions` what the lab knows of its parts, `measuring` the settings of the
        probes. Values under names such as `password` or `token` are left out. A name
        of other than lower-case letters, digits and hyphens raises ValueError.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"a run's name is made of a-z, 0-9 and hyphens: {name!r}")
        now = datetime.now(UTC)
        directory = _new_directory(reports, f"{now:%Y%m%dT%H%M%SZ}-{name}")
        about = {
            "format": run_directory.FORMAT,
            "name": name,
            "started": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "machine": machine.describe(),
            "versions": machine.versions() | dict(versions),
            "lab": without_secrets(lab),
            "profile": without_secrets(profile),
            "measuring": without_secrets(measuring or {}),
        }
        run_directory.write_json(directory / run_directory.RUN, about)
        _point(reports / "latest", directory.name)
        return cls(directory)

    def begin_case(self, name: str, declared: events.CaseStart) -> "RunningCase":
        """Begin the case `name`, which declares what it measures and expects.

        Raises ValueError for a window of a stage that there is not, and for a
        published value that there is not.
        """
        for stage in declared.windows:
            if stage not in results.STAGES:
                raise ValueError(f"no such stage: {stage!r}; there are {', '.join(results.STAGES)}")
        if declared.published not in {None, *published.keys()}:
            raise ValueError(
                f"no such published value: {declared.published!r}; "
                f"there are {', '.join(published.keys())}"
            )
        self.history.case = name
        start_ns = time.monotonic_ns()
        self.history.record(declared, t_ns=start_ns)
        self.history.record(machine.load())
        return RunningCase(self, start_ns)

    @contextmanager
    def case(self, name: str, declared: events.CaseStart) -> Iterator["RunningCase"]:
        """Begin a case and end it: passed, or failed with the exception's words.

        Ctrl-C and an exit of the process are no verdict: the case is aborted.
        """
        case = self.begin_case(name, declared)
        try:
            yield case
        except (KeyboardInterrupt, SystemExit) as error:
            case.end("aborted", message=f"interrupted: {type(error).__name__}")
            raise
        except BaseException as error:  # pytest's own failures are no Exception
            case.end("failed", message=f"{type(error).__name__}: {error}")
            raise
        case.end("passed")

    def finish(self) -> Path:
        """Write results.json and the report; return the report's path.

        May be called again; recording goes on until `close`.
        """
        run_directory.write_results(self.directory)
        return report.render(self.directory)

    def close(self) -> None:
        """Close the history; nothing is recorded any more."""
        self.history.close()


class RunningCase:
    """One case while it runs."""

    def __init__(self, run: Run, start_ns: int) -> None:
        self._run = run
        self._start_ns = start_ns
        self._reader = history.Reader(run.history.path)
        self._read = 0
        self._told: list[history.RecordedEvent] = []

    def measure(self) -> results.CaseResult:
        """Return what the history says about this case up to now."""
        found = self._reader.read()
        # Frames and rows of earlier cases say nothing about this one, and are many.
        self._told += [
            event
            for event in found[self._read :]
            if event.t_ns >= self._start_ns or not isinstance(event.body, _MANY)
        ]
        self._read = len(found)
        split = cases.split(self._told)
        return intervals.measure(next(c for c in split if c.start.t_ns == self._start_ns))

    def wait_for(self, *stages: str, limit_s: float, poll_s: float = 1.0) -> results.CaseResult:
        """Wait until every one of `stages` has a value, `limit_s` seconds at most.

        When time runs out: TimeoutError with the stages that are missing, why, and
        the last events other than frames and rows.
        """
        began = time.monotonic()
        while True:
            found = self.measure()
            missing = [stage for stage in stages if found.intervals[stage].seconds is None]
            elapsed = time.monotonic() - began
            if not missing:
                return found
            if elapsed >= limit_s:
                why = "; ".join(f"{stage}: {found.intervals[stage].reason}" for stage in missing)
                raise TimeoutError(
                    f"{found.name}: waited {elapsed:.0f} s of at most {limit_s:g} s for "
                    f"{', '.join(missing)}\n{why}\nlast events in {self._run.history.path}:\n"
                    + "\n".join(self._last_events())
                )
            time.sleep(poll_s)

    def end(self, outcome: Literal["passed", "failed", "aborted"], *, message: str = "") -> None:
        """End the case and rewrite results and report, so that a run that dies has both."""
        self._run.history.record(machine.load())
        self._run.history.record(events.CaseEnd(outcome=outcome, message=message))
        self._run.history.case = ""
        try:
            self._run.finish()
        except Exception as error:  # a report must not decide on a case; the last finish tells
            words = f"results and report were not made: {type(error).__name__}: {error}"
            self._run.history.record(events.Note(text=words))

    def _last_events(self, count: int = 20) -> list[str]:
        telling = [event for event in self._told if not isinstance(event.body, _MANY)]
        return [f"  line {event.line}  {event.wall}  {event.body}" for event in telling[-count:]]


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `settings`, to any depth, without those whose name says that they are secret."""
    return {
        str(name): without_secrets(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if not _SECRET.search(str(name))
    }


def _new_directory(reports: Path, name: str) -> Path:
    """Make the directory; of two runs in one second the later gets a number."""
    reports.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = reports / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def _point(link: Path, target: str) -> None:
    """Make `link` point at `target` in one step: at no time is there no `latest`."""
    draft = link.with_name(f".{link.name}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target, target_is_directory=True)
    draft.replace(link)
