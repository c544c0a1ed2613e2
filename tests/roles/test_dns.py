"""The script of the role dns, on a cluster that a list of objects stands in for."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks" / "roles" / "dns" / "files" / "spread.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return loaded(SCRIPT)


def ready(name: str, **spec: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True"}]
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}


def pod(name: str, node: str, seconds: int | None = 20) -> dict[str, Any]:
    tolerated = {"key": "node.kubernetes.io/unreachable", "operator": "Exists"}
    if seconds is not None:
        tolerated["tolerationSeconds"] = seconds  # type: ignore[assignment]
    return ready(name, nodeName=node, tolerations=[tolerated])


class Cluster:
    """Replaces a pod at once, on the node that is next, under tolerations of 20 s."""

    def __init__(self, *pods: dict[str, Any], replicas: int = 2, nexts: str = "c") -> None:
        self.pods = list(pods)
        self.deployment = {"spec": {"replicas": replicas}}
        self.nodes = [ready("a"), ready("b"), ready("c")]
        self.nexts = nexts

    def items(self, kind: str, *_: str) -> list[dict[str, Any]]:
        return list(self.pods if kind == "pods" else self.nodes)

    def get(self, *_: str) -> dict[str, Any]:
        return self.deployment

    def change(self, verb: str, what: str, option: str) -> None:
        if verb == "scale":
            self.deployment = {"spec": {"replicas": int(option.partition("=")[2])}}
        else:
            gone = what.removeprefix("pod/")
            self.pods = [pod for pod in self.pods if pod["metadata"]["name"] != gone]
        self.pods.append(pod(f"new-{len(self.pods)}", self.nexts))


def settle(script: ModuleType, cluster: Cluster) -> list[str]:
    done: list[str] = []
    for _ in range(9):
        if not script.step(cluster, 2, 20, done):
            return done
    pytest.fail("it does not come to an end")


def test_two_pods_on_two_nodes_are_left_alone(script: ModuleType) -> None:
    assert settle(script, Cluster(pod("x", "a"), pod("y", "b"))) == []
    # What tolerates a lost node for ever is no matter of the timers.
    assert settle(script, Cluster(pod("x", "a", None), pod("y", "b"))) == []


def test_one_pod_gets_a_second_one(script: ModuleType) -> None:
    cluster = Cluster(pod("x", "a"), replicas=1)
    assert settle(script, cluster) == ["scaled to 2"]
    assert len(cluster.pods) == 2


def test_pods_of_one_node_part(script: ModuleType) -> None:
    cluster = Cluster(pod("x", "a"), pod("y", "a"))
    assert settle(script, cluster) == ["replaced y, on the others' node"]
    assert {entry["spec"]["nodeName"] for entry in cluster.pods} == {"a", "c"}


def test_where_no_other_node_takes_pods_they_stay_together(script: ModuleType) -> None:
    cluster = Cluster(pod("x", "a"), pod("y", "a"), nexts="a")
    assert settle(script, cluster) == ["replaced y, on the others' node"]


def test_pods_of_other_timers_are_replaced_one_after_the_other(script: ModuleType) -> None:
    cluster = Cluster(pod("x", "a", 300), pod("y", "b", 300))
    done: list[str] = []
    assert script.step(cluster, 2, 20, done) == "the replacement of x is not there yet"
    assert done == ["replaced x, made under other timers"]
    cluster.pods[-1]["status"]["conditions"] = []
    assert script.step(cluster, 2, 20, done) == "not ready yet: new-1"
    assert len(done) == 1


def test_what_is_on_its_way_is_waited_for(script: ModuleType) -> None:
    cluster = Cluster(pod("x", "a"), ready("y"))
    assert script.step(cluster, 2, 20, []) == "without a node: y"
    cluster = Cluster(pod("x", "a"))
    assert script.step(cluster, 2, 20, []) == "1 of 2 pods are there"
    leaving, failed = pod("y", "b"), pod("z", "b")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-26T00:00:00Z"
    failed["status"]["phase"] = "Failed"
    cluster = Cluster(pod("x", "a"), leaving, failed)
    assert script.step(cluster, 2, 20, []) == "1 of 2 pods are there"
    cluster.nodes[1]["status"] = {}
    assert script.step(cluster, 2, 20, []) == "not Ready: b"
