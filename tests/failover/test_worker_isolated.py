"""The worker is cut off: figure 6.12 of the thesis, seen from the end of the chain."""

import pytest

from experiment import prediction, verdicts
from experiment.cases import Case, RunCase
from experiment.prediction import LATENESS_S
from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.config import reactions
from lab.config.profiles import Profile
from lab.faults.isolate import Isolate
from measurements.windows import Windows


def windows(profile: Profile) -> Windows:
    """Predict the stages of a worker that is cut off.

    Each stage may come as late as its own controller and those before it are.
    """
    lost = reactions.not_ready(profile)
    evicted = prediction.allowed(reactions.evicted(profile, lost), late=2)
    return {
        "not_ready": prediction.allowed(lost),
        "evicted": evicted,
        "scheduled": evicted.later(LATENESS_S, "after the eviction; scheduling has no timer"),
        **prediction.starting(evicted, LATENESS_S),
    }


CASE = Case(
    title="The worker that runs the second-level PDC is cut off from all other nodes",
    app="pdc-higher",
    fault=Isolate,
    recovery="replacement",
    windows=windows,
    published="node_isolated",
)


@pytest.mark.failover
def test_worker_isolated(measured: MeasuredLab, steady: SteadyState, run_case: RunCase) -> None:
    lab = measured.lab
    workers = [node.name for node in lab.nodes if node.role == "worker"]
    if not workers:
        pytest.skip(f"the lab {lab.name} has no worker to cut off")
    before = steady.move(CASE.app, "it must run on a worker", lambda pod: pod.node not in workers)
    pod = before[CASE.app]
    worker = lab.node(pod.node)
    rows = measured.database.configuration()
    fault = Isolate(node=worker, others=[node for node in lab.nodes if node != worker])
    with run_case(CASE) as case:
        with case.inject(fault):
            case.wait_for()
        after = steady.wait("after healing")
        measured.writer.check()
        result = case.measure()
        assert after[CASE.app].uid != pod.uid
        assert result.frames is not None
        assert result.frames.lost > 0, "a lost PDC must cost frames, or nothing was cut off"
        assert verdicts.timing(result) == []
        assert verdicts.bystanders(result, before, after, CASE.app) == []
        assert verdicts.rows(result, rows, measured.database.configuration()) == []
