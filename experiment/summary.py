"""What the terminal says of each run at the end of a session."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from experiment.runs import Runs
from measurements import run_directory


def write(terminal: pytest.TerminalReporter, runs: Runs) -> None:
    """Print each case's intervals, and where the report is."""
    for directory in runs.directories:
        terminal.section(f"measured: {directory.name}")
        for case in run_directory.read_cases(directory):
            for line in lines(case):
                terminal.line(line)
        if why := runs.unrendered.get(directory):
            terminal.line(f"The report could not be written: {why}", red=True)
            terminal.line(f"Try again: python -m measurements.report {directory}")
        else:
            terminal.line(f"report: {directory / run_directory.REPORT}")


def lines(case: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is printed of one case of results.json."""
    yield f"{case['name']}: {case['outcome']}"
    for stage, interval in case["intervals"].items():
        if interval["seconds"] is None:
            continue
        window = case["windows"].get(stage)
        predicted = (
            f"   predicted {window['earliest_s']:.1f} to {window['latest_s']:.1f} s"
            if window
            else ""
        )
        yield f"  {stage:<10} {interval['seconds']:8.2f} s{predicted}"
    if frames := case["frames"]:
        yield (
            f"  frames lost {frames['lost']} of {frames['expected']}, "
            f"longest gap {frames['gap_s']:.2f} s"
        )
