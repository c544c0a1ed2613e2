"""The worker is cut off: figure 6.12 of the thesis, seen from the end of the chain."""

import pytest

from experiment import prediction, verdicts
from experiment.cases import Case, RunCase
from experiment.prediction import EARLINESS_S, LATENESS_S
from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.config.profiles import Profile
from lab.faults.isolate import Isolate
from measurements.windows import Window, Windows


def windows(profile: Profile) -> Windows:
    """Predict the stages of a worker that is cut off.

    The newest heartbeat is up to one renewal old when the fault comes, and the
    controller looks once a period. The tainting pass may meet a cache that still calls
    the node Ready; it drops the node then and has spent its token
    (node_lifecycle_controller.go).
    """
    not_ready = Window(
        earliest_s=max(0.0, profile.node_monitor_grace_s - profile.renew_s - EARLINESS_S),
        latest_s=profile.node_monitor_grace_s + profile.node_monitor_period_s + LATENESS_S,
        why=f"grace {profile.node_monitor_grace_s} s, less up to one lease renewal "
        f"({profile.renew_s:g} s), plus up to one look of the controller "
        f"({profile.node_monitor_period_s} s)",
    )
    evicted = Window(
        earliest_s=not_ready.earliest_s + profile.toleration_s,
        latest_s=not_ready.latest_s + profile.toleration_s + profile.eviction_turn_s + LATENESS_S,
        why=f"NotReady, plus the toleration of {profile.toleration_s} s, plus up to one turn of "
        f"the eviction limiter ({profile.eviction_turn_s:g} s)",
    )
    return {
        "not_ready": not_ready,
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
