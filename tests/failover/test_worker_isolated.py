"""The worker is cut off: figure 6.12 of the thesis, seen from the end of the chain."""

import pytest

from experiment import verdict
from experiment.fixtures import Break
from experiment.session import Session
from experiment.steady import Steady
from lab.faults.isolate import Isolate

APP = "pdc-higher"


@pytest.mark.failover
def test_worker_isolated(measured: Session, steady: Steady, breaking: Break) -> None:
    lab = measured.lab
    workers = [node.name for node in lab.nodes if node.role == "worker"]
    if not workers:
        pytest.skip(f"the lab {lab.name} has no worker to cut off")
    before = steady.move(APP, "it must run on a worker", lambda pod: pod.node not in workers)
    pod = before[APP]
    worker = lab.node(pod.node)
    rows = measured.database.configuration()
    windows = measured.profile.windows("worker-isolated")
    limit_s = verdict.limit_s(windows)
    with measured.run.case(
        "worker-isolated",
        title=f"{worker.name}, which runs the second-level PDC, is cut off from all other nodes",
        app=APP,
        node=worker.name,
        recovery="replacement",
        windows=verdict.declared(windows),
    ) as case:
        fault = Isolate(node=worker, others=[node for node in lab.nodes if node != worker])
        with breaking(fault, limit_s=limit_s):
            case.wait_for(*windows, limit_s=limit_s)
        after = steady.wait("after healing")
        measured.writer.check()
        result = case.measure()
        assert (after[APP].uid, after[APP].node) != (pod.uid, worker.name)
        assert after[APP].uid != pod.uid
        assert result.frames is not None
        assert result.frames.lost > 0, "a lost PDC must cost frames, or nothing was cut off"
        assert verdict.timing(result) == []
        assert verdict.bystanders(result, before, after, APP) == []
        assert verdict.rows(result, rows, measured.database.configuration()) == []
