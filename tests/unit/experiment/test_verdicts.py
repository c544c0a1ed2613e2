"""What the cases call wrong: each kind of damage must be noticed, and nothing else."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from experiment import verdicts
from experiment.workloads import pods
from experiment.workloads.pods import WorkloadPod

CONFIGURATION = {"lower.Device": ((1, "pmu-1"), (2, "pmu-2")), "higher.Node": ((1, "pdc"),)}


def pod(app: str, **fields: Any) -> WorkloadPod:
    base = WorkloadPod(
        app=app,
        name=f"{app}-x",
        uid=f"uid-{app}",
        node="server-1",
        ready=True,
        deleting=False,
        restarts=0,
        container_id="containerd://1",
    )
    return replace(base, **fields)


WHOLE = {app: pod(app) for app in pods.APPS}


def result(**fields: Any) -> Any:
    """Return as much of a case's result as the verdict reads."""
    sql = SimpleNamespace(missing=(), checked=300)
    return SimpleNamespace(**{"sql": sql, "false_not_ready": (), **fields})


def test_what_recovers_as_it_should_is_not_blamed() -> None:
    after = {**WHOLE, "mysql": pod("mysql", uid="another", restarts=3)}
    assert verdicts.bystanders(result(), WHOLE, after, "mysql") == []
    assert verdicts.rows(result(), CONFIGURATION, dict(CONFIGURATION)) == []


def test_a_node_that_flapped_is_told() -> None:
    flap = SimpleNamespace(node="server-2", ready="Unknown", seconds=12.0, line=77)
    told = verdicts.bystanders(result(false_not_ready=(flap,)), WHOLE, WHOLE, "mysql")
    assert told == ["server-2 became Ready=Unknown after 12.0 s (line 77)"]


@pytest.mark.parametrize("change", [{"uid": "another", "name": "pmu-2-y"}, {"restarts": 1}])
def test_another_pod_that_changed_is_told(change: dict[str, Any]) -> None:
    after = {**WHOLE, "pmu-2": pod("pmu-2", **change)}
    told = verdicts.bystanders(result(), WHOLE, after, "mysql")
    assert len(told) == 1
    assert told[0].startswith("pmu-2: pmu-2-x with 0 restarts became")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (None, "were not checked"),
        (SimpleNamespace(missing=(), checked=None), "were not checked"),
        (SimpleNamespace(missing=(41, 42), checked=9), "2 acknowledged rows are gone, such as 41"),
    ],
)
def test_lost_and_unchecked_rows_are_told(sql: Any, says: str) -> None:
    told = verdicts.rows(result(sql=sql), CONFIGURATION, CONFIGURATION)
    assert len(told) == 1
    assert says in told[0]


@pytest.mark.parametrize(
    "after",
    [
        {**CONFIGURATION, "lower.Device": ((1, "pmu-1"),)},
        {**CONFIGURATION, "lower.Device": ((1, "pmu-1"), (2, "other"))},
        {"higher.Node": CONFIGURATION["higher.Node"]},
    ],
    ids=["a row gone", "a row changed", "the table gone"],
)
def test_configuration_that_changed_is_told(after: Any) -> None:
    told = verdicts.rows(result(), CONFIGURATION, after)
    assert len(told) == 1
    assert told[0].startswith("lower.Device had 2 rows")


def test_a_configuration_without_rows_proves_nothing() -> None:
    empty: Any = {"lower.Device": ()}
    assert verdicts.rows(result(), empty, empty) == ["there was no configuration to lose"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"deleting": True, "ready": False}, "pmu-1-x must be gone"),
        ({"ready": False}, "pmu-1-x must be ready"),
    ],
)
def test_the_workloads_are_whole_when_each_pod_is_ready(change: dict[str, Any], says: str) -> None:
    assert pods.missing(list(WHOLE.values())) is None
    assert pods.missing([{**WHOLE, "pmu-1": pod("pmu-1", **change)}[app] for app in WHOLE]) == says


def test_a_workload_without_a_pod_is_missing() -> None:
    assert pods.missing([WHOLE[app] for app in WHOLE if app != "pmu-3"]) == "no pod of pmu-3"
