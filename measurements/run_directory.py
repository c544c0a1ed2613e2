"""What a run's directory holds, and the files of it that follow from others.

reports/20261122T071500Z-failover/
    run.json        machine, versions, every setting; written first
    history.jsonl   what happened, as it happened
    results.json    what follows from it; rewritten after every case
    junit.xml       the test runner's own file, which the runner lays in
    index.html      the report; rewritten after every case
reports/latest      -> the newest run
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measurements import intervals

FORMAT = 2
"""Version of run.json, history.jsonl and results.json; `format1` reads the one before."""
RUN = "run.json"
HISTORY = "history.jsonl"
RESULTS = "results.json"
JUNIT = "junit.xml"
REPORT = "index.html"


def why_unreadable(directory: Path) -> str | None:
    """Say in one sentence why this version can't read the run; None where it can."""
    if not (directory / HISTORY).is_file():
        return (
            f"{directory} holds no {HISTORY}, so it is no run. "
            "Give a directory that `pytest -m failover` made, such as reports/latest."
        )
    found = read_about(directory).get("format", FORMAT)
    if isinstance(found, int) and found > FORMAT:
        return (
            f"{directory} is a run of format {found}, and this version of Blackstart reads "
            f"formats up to {FORMAT}. Use the version that made it, or a later one."
        )
    return None


def read_about(directory: Path) -> dict[str, Any]:
    """Return run.json; empty where there is none, or a broken one."""
    try:
        about: dict[str, Any] = json.loads((directory / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about


def read_cases(directory: Path) -> list[dict[str, Any]]:
    """Return the cases of results.json; empty where they can't be read."""
    try:
        values = json.loads((directory / RESULTS).read_text(encoding="utf-8"))
        return [case for case in values["cases"] if isinstance(case, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_results(directory: Path) -> None:
    """Compute every case of the history in `directory` into its results.json."""
    measured = intervals.measure_file(directory / HISTORY)
    write_json(
        directory / RESULTS,
        {"format": FORMAT, "cases": [asdict(case) for case in measured]},
    )


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` so that a reader never sees half of it."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(value, indent=2, default=str) + "\n", encoding="utf-8")
    draft.replace(path)
