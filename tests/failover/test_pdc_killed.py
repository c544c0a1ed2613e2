"""A container's process dies: figure 6.11 of the thesis, with a real PDC in it."""

import pytest

from experiment import prediction, verdicts
from experiment.cases import Case, RunCase
from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.cluster.api import NAMESPACE
from lab.config.profiles import Profile
from lab.faults.kill import Kill
from measurements.windows import Window, Windows


def windows(_: Profile) -> Windows:
    """Predict a first restart, which the kubelet makes without back-off under any timers."""
    return prediction.starting(Window(earliest_s=0, latest_s=0, why="first restart, no back-off"))


CASE = Case(
    title="The process of the second-level PDC is killed",
    app="pdc-higher",
    fault=Kill,
    recovery="restart",
    windows=windows,
    published="container_restart",
)


@pytest.mark.failover
def test_pdc_killed(measured: MeasuredLab, steady: SteadyState, run_case: RunCase) -> None:
    before = steady.move(
        CASE.app, "a second restart would wait for the back-off", lambda pod: pod.restarts > 0
    )
    pod = before[CASE.app]
    fault = Kill(
        node=measured.lab.node(pod.node),
        pod=f"{NAMESPACE}/{pod.name}",
        container_id=pod.container_id,
    )
    with run_case(CASE) as case:
        with case.inject(fault):
            case.wait_for()
        after = steady.wait("after the restart")
        measured.writer.check()
        result = case.measure()
        assert (after[CASE.app].uid, after[CASE.app].restarts) == (pod.uid, pod.restarts + 1)
        assert result.frames is not None
        assert result.frames.lost > 0, "a dead PDC must cost frames, or something else died"
        assert verdicts.timing(result) == []
        assert verdicts.bystanders(result, before, after, CASE.app) == []
