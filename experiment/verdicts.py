"""What is wrong with a case, in sentences: an empty list is a pass."""

from collections.abc import Mapping

from experiment.workloads.database import Rows
from experiment.workloads.pods import WorkloadPod
from measurements.results import CaseResult


def timing(result: CaseResult) -> list[str]:
    """Say which stages missed the window that the timers predict."""
    return [wrong for stage in result.windows if (wrong := result.within(stage))]


def bystanders(
    result: CaseResult,
    before: Mapping[str, WorkloadPod],
    after: Mapping[str, WorkloadPod],
    broken: str,
) -> list[str]:
    """Say which nodes and pods suffered that the fault did not hit."""
    flaps = [
        f"{flap.node} became Ready={flap.ready} after {flap.seconds:.1f} s (line {flap.line})"
        for flap in result.false_not_ready
    ]
    changed = [
        f"{app}: {before[app].name} with {before[app].restarts} restarts became "
        f"{after[app].name} with {after[app].restarts}"
        for app in before
        if app != broken
        and (before[app].uid, before[app].restarts) != (after[app].uid, after[app].restarts)
    ]
    return flaps + changed


def rows(result: CaseResult, before: Rows, after: Rows) -> list[str]:
    """Say which rows are gone: acknowledged ones, and those of the PDCs' configuration."""
    if result.sql is None or result.sql.checked is None:
        return ["the acknowledged rows were not checked"]
    lost = result.sql.missing
    found = [f"{len(lost)} acknowledged rows are gone, such as {lost[0]}"] if lost else []
    if not any(before.values()):
        found.append("there was no configuration to lose")
    return found + [
        f"{table} had {len(before[table])} rows and now has {len(after.get(table, ()))} "
        "of other content"
        for table in before
        if before[table] != after.get(table)
    ]
