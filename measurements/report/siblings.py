"""The same case in other runs: what another timer profile or distribution buys."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measurements import results, run_directory
from measurements.report import about

_MACHINE = ("cpu_model", "cpu_cores", "memory_gib", "architecture")


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """One case of one run, as a line of the table."""

    run: str
    """The run's directory; empty for the run of this report."""
    profile: str
    """Its timer profile."""
    distribution: str
    """Its Kubernetes distribution."""
    outcome: str
    """The case's outcome."""
    not_ready_s: float | None
    """Seconds until the node's loss was noticed."""
    ready_s: float | None
    """Seconds until the pod was Ready again."""
    streaming_s: float | None
    """Seconds until frames flowed again."""
    lost: int | None
    """Frames lost."""
    same_machine: bool
    """Whether processor, cores, memory and architecture are those of this report's run."""


def of(rundir: Path, told: Mapping[str, Any], case: results.CaseResult) -> list[Sibling]:
    """Return this run's `case` and, of every other kind of run, the newest that has it.

    A kind is a profile on a distribution. Only runs older than this one count, so that
    a report stays as it is. Empty where there is no other.
    """
    found: dict[tuple[str, str], Sibling] = {}
    for other in sorted(rundir.resolve().parent.iterdir(), reverse=True):
        if other.is_symlink() or not (other / run_directory.RESULTS).is_file():
            continue
        theirs = about.load(other)
        kind = _kind(theirs)
        older = len(theirs["started"]) > 0 and theirs["started"] < told["started"]
        if not older or kind == _kind(told) or kind in found:
            continue
        for values in run_directory.read_cases(other):
            if values.get("name") == case.name and values.get("outcome") != "aborted":
                found[kind] = _sibling(other.name, theirs, values, told)
    if not found:
        return []
    return [_own(told, case), *found.values()]


def _kind(told: Mapping[str, Any]) -> tuple[str, str]:
    return str(told["profile"].get("name", "")), str(told["lab"].get("distribution", ""))


def _own(told: Mapping[str, Any], case: results.CaseResult) -> Sibling:
    profile, distribution = _kind(told)
    return Sibling(
        run="",
        profile=profile,
        distribution=distribution,
        outcome=case.outcome,
        not_ready_s=case.intervals["not_ready"].seconds,
        ready_s=case.intervals["ready"].seconds,
        streaming_s=case.intervals["streaming"].seconds,
        lost=case.frames.lost if case.frames else None,
        same_machine=True,
    )


def _sibling(
    run: str, theirs: Mapping[str, Any], values: Mapping[str, Any], told: Mapping[str, Any]
) -> Sibling:
    profile, distribution = _kind(theirs)
    intervals, frames = values.get("intervals", {}), values.get("frames") or {}
    return Sibling(
        run=run,
        profile=profile,
        distribution=distribution,
        outcome=values["outcome"],
        not_ready_s=intervals.get("not_ready", {}).get("seconds"),
        ready_s=intervals.get("ready", {}).get("seconds"),
        streaming_s=intervals.get("streaming", {}).get("seconds"),
        lost=frames.get("lost"),
        same_machine=all(
            theirs["machine"].get(part) == told["machine"].get(part) for part in _MACHINE
        ),
    )
