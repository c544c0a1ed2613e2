"""The database's pod is deleted, as an upgrade or an eviction does; its rows must stay."""

import pytest
from kubernetes import client

from experiment import verdict
from experiment.fixtures import Break
from experiment.session import Session
from experiment.steady import Steady
from lab.cluster.api import NAMESPACE
from lab.faults.delete_pod import DeletePod

APP = "mysql"


@pytest.mark.failover
def test_mysql_deleted(measured: Session, steady: Steady, breaking: Break) -> None:
    before = steady.wait("before the fault")
    pod = before[APP]
    rows = measured.database.configuration()
    windows = measured.profile.windows("mysql-deleted")
    limit_s = verdict.limit_s(windows)
    with measured.run.case(
        "mysql-deleted",
        title="The pod of MySQL, which holds the PDCs' configuration, is deleted",
        app=APP,
        recovery="replacement",
        windows=verdict.declared(windows),
    ) as case:
        fault = DeletePod(
            api=client.CoreV1Api(measured.lab.cluster.api()),
            node=measured.lab.node(pod.node),
            namespace=NAMESPACE,
            pod=pod.name,
            uid=pod.uid,
        )
        with breaking(fault, limit_s=limit_s):
            case.wait_for("scheduled", "started", "ready", "writing", limit_s=limit_s)
        after = steady.wait("after the replacement")
        measured.writer.check()
        result = case.measure()
        assert after[APP].uid != pod.uid
        assert verdict.timing(result) == []
        assert verdict.rows(result, rows, measured.database.configuration()) == []
        assert verdict.bystanders(result, before, after, APP) == []
        assert result.frames is not None
        assert result.frames.lost == 0, "PDCs stream on without their database"
