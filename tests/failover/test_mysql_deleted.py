"""The database's pod is deleted, as an upgrade or an eviction does; its rows must stay."""

import pytest
from kubernetes import client

from experiment import prediction, verdicts
from experiment.cases import Case, RunCase
from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.cluster.api import NAMESPACE
from lab.config.profiles import Profile
from lab.faults.delete_pod import DeletePod
from measurements.windows import Window, Windows


def windows(_: Profile) -> Windows:
    """Predict the replacement, made when the old pod is gone, under any timers."""
    deleted = Window(
        earliest_s=0, latest_s=prediction.START_ALLOWANCE_S, why="the old pod's shutdown"
    )
    return {
        "scheduled": deleted.later(prediction.LATENESS_S, "after the old pod's end"),
        **prediction.starting(deleted, prediction.LATENESS_S),
    }


CASE = Case(
    title="The pod of MySQL, which holds the PDCs' configuration, is deleted",
    app="mysql",
    fault=DeletePod,
    recovery="replacement",
    windows=windows,
)


@pytest.mark.failover
def test_mysql_deleted(measured: MeasuredLab, steady: SteadyState, run_case: RunCase) -> None:
    before = steady.wait("before the fault")
    pod = before[CASE.app]
    rows = measured.database.configuration()
    fault = DeletePod(
        api=client.CoreV1Api(measured.lab.cluster.api()),
        node=measured.lab.node(pod.node),
        namespace=NAMESPACE,
        pod=pod.name,
        uid=pod.uid,
    )
    with run_case(CASE) as case:
        with case.inject(fault):
            # The stream has no need of its database, and is not waited for.
            case.wait_for("scheduled", "started", "ready", "writing")
        after = steady.wait("after the replacement")
        measured.writer.check()
        result = case.measure()
        assert after[CASE.app].uid != pod.uid
        assert verdicts.timing(result) == []
        assert verdicts.rows(result, rows, measured.database.configuration()) == []
        assert verdicts.bystanders(result, before, after, CASE.app) == []
        assert result.frames is not None
        assert result.frames.lost == 0, "PDCs stream on without their database"
