"""A container's process dies: figure 6.11 of the thesis, with a real PDC in it."""

import pytest

from experiment import verdict
from experiment.fixtures import Break
from experiment.session import Session
from experiment.steady import Steady
from lab.faults.kill import Kill

APP = "pdc-higher"


@pytest.mark.failover
def test_pdc_killed(measured: Session, steady: Steady, breaking: Break) -> None:
    before = steady.move(
        APP, "a second restart would wait for the back-off", lambda pod: pod.restarts > 0
    )
    pod = before[APP]
    windows = measured.profile.windows("pdc-killed")
    limit_s = verdict.limit_s(windows)
    with measured.run.case(
        "pdc-killed",
        title="The process of the second-level PDC is killed",
        app=APP,
        recovery="restart",
        windows=verdict.declared(windows),
    ) as case:
        fault = Kill(
            node=measured.lab.node(pod.node),
            pod=f"grid/{pod.name}",
            container_id=pod.container_id,
        )
        with breaking(fault, limit_s=limit_s):
            case.wait_for("started", "ready", "streaming", limit_s=limit_s)
        after = steady.wait("after the restart")
        measured.writer.check()
        result = case.measure()
        assert (after[APP].uid, after[APP].restarts) == (pod.uid, pod.restarts + 1)
        assert result.frames is not None
        assert result.frames.lost > 0, "a dead PDC must cost frames, or something else died"
        assert verdict.timing(result) == []
        assert verdict.bystanders(result, before, after, APP) == []
