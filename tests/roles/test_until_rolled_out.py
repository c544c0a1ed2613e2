"""The script that waits for a namespace's pods, and ends early where one can't start."""

import json
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks" / "files" / "until_rolled_out.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = loaded(SCRIPT)
    monkeypatch.setattr(module, "PERIOD_S", 0.05)
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    return module


def deployment(name: str = "pmu-1", revision: str = "1", **status: int) -> dict[str, Any]:
    about = {
        "name": name,
        "generation": 1,
        "annotations": {"deployment.kubernetes.io/revision": revision},
    }
    return {
        "kind": "Deployment",
        "metadata": about,
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, **status},
    }


WHOLE = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def replica_set(name: str, revision: str, of: str = "pmu-1") -> dict[str, Any]:
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"name": of}],
        },
    }


def pod(owner: str = "pmu-1-a", *, restarts: int = 0, **state: Any) -> dict[str, Any]:
    container = {
        "name": "pmu",
        "image": "blackstart/grid:1",
        "restartCount": restarts,
        "state": state,
    }
    container["lastState"] = {"terminated": {"reason": "Error", "exitCode": 3}}
    about = {"name": f"{owner}-x", "uid": "u1", "ownerReferences": [{"name": owner}]}
    return {"kind": "Pod", "metadata": about, "status": {"containerStatuses": [container]}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def sandbox(count: int) -> dict[str, Any]:
    return {
        "involvedObject": {"uid": "u1"},
        "count": count,
        "message": 'plugin type="flannel" failed (add): open /run/flannel/subnet.env: no such file',
    }


@pytest.mark.parametrize(
    ("broken", "events", "says"),
    [
        (pod(**waiting("ErrImagePull", "no such host")), [], "ErrImagePull: no such host"),
        (pod(**waiting("ErrImageNeverPull")), [], "ErrImageNeverPull: blackstart/grid:1"),
        (pod(**waiting("CreateContainerConfigError", 'secret "x" not found')), [], "secret"),
        (pod(restarts=4, **waiting("CrashLoopBackOff")), [], "ended 4 times (Error, exit code 3)"),
        (pod(**waiting("ContainerCreating")), [sandbox(4)], "no network for it: plugin type"),
    ],
)
def test_a_pod_that_cannot_start_is_told(
    script: ModuleType, broken: dict[str, Any], events: list[dict[str, Any]], says: str
) -> None:
    found = script.hopeless([deployment(), replica_set("pmu-1-a", "1"), broken], events)
    assert says in found["pmu-1-a-x"]


@pytest.mark.parametrize(
    ("well", "events"),
    [
        (pod(running={}), []),
        (pod(**waiting("ContainerCreating")), [sandbox(3)]),
        (pod(**waiting("PodInitializing")), []),
        (pod(restarts=3, **waiting("CrashLoopBackOff")), []),
        (pod(restarts=9, running={}), []),
        ({**pod(**waiting("ErrImagePull")), "kind": "ReplicaSet"}, []),
    ],
)
def test_what_may_still_start_is_waited_for(
    script: ModuleType, well: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    assert script.hopeless([deployment(), replica_set("pmu-1-a", "1"), well], events) == {}


def test_a_pod_of_an_older_template_does_not_count(script: ModuleType) -> None:
    """It is what the mended template is about to replace."""
    things = [deployment(revision="2"), replica_set("pmu-1-a", "1"), replica_set("pmu-1-b", "2")]
    old = pod("pmu-1-a", **waiting("ErrImagePull"))
    assert script.hopeless([*things, old], []) == {}
    fresh = pod("pmu-1-b", **waiting("ErrImagePull"))
    assert list(script.hopeless([*things, old, fresh], [])) == ["pmu-1-b-x"]
    unseen = [{**deployment(), "status": {"observedGeneration": 0}}, replica_set("pmu-1-a", "1")]
    assert script.hopeless([*unseen, old], []) == {}


@pytest.mark.parametrize(
    ("thing", "missing"),
    [
        (deployment(**WHOLE), ""),
        (deployment(replicas=1, updatedReplicas=1), "pmu-1 has 0 of 1 pods"),
        (deployment(replicas=2, updatedReplicas=1, availableReplicas=2), "pmu-1 has 1 of 1 pods"),
        ({**deployment(**WHOLE), "status": {**WHOLE, "observedGeneration": 0}}, "pmu-1 has"),
        (pod(), "there is no Deployment"),
    ],
)
def test_a_rollout_is_over_when_each_has_all_its_pods(
    script: ModuleType, thing: dict[str, Any], missing: str
) -> None:
    said = script.not_rolled_out([thing])
    assert said.startswith(missing) if missing else said == ""


def run(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    things: list[dict[str, Any]],
    *limit: str,
    verb: str = "wait",
) -> int:
    """Run the script with a kubectl that tells of `things`."""
    (tmp_path / "things").write_text(json.dumps({"items": things}))
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        "#!/bin/sh\n"
        """case "$*" in *events*) echo '{"items": []}' ;; """
        f"*) cat {tmp_path}/things ;; esac\n"
    )
    kubectl.chmod(0o755)
    made = script.Kubectl.__init__

    def init(self: Any, *words: str) -> None:
        made(self, *words)
        self._words[0] = str(kubectl)

    monkeypatch.setattr(script.Kubectl, "__init__", init)
    monkeypatch.setattr(sys, "argv", ["x", verb, "/kubeconfig", "grid", "a=b", *limit])
    code: int = script.main()
    return code


def test_the_wait_ends_early_where_a_pod_cannot_start(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    things = [deployment(replicas=1), replica_set("pmu-1-a", "1")]
    things.append(pod(**waiting("ImagePullBackOff", "Back-off pulling image")))
    begin = time.monotonic()
    assert run(script, monkeypatch, tmp_path, things, "240") == 1
    assert 0.3 <= time.monotonic() - begin < 30
    said = capsys.readouterr().out
    assert said == "pmu-1-a-x can't start: ImagePullBackOff: Back-off pulling image\n"
    assert run(script, monkeypatch, tmp_path, things, verb="look") == 0
    assert capsys.readouterr().out == said


def test_the_wait_ends_at_its_limit_and_with_success(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(script, monkeypatch, tmp_path, [deployment(replicas=1)], "0.1") == 1
    assert "Not rolled out after 0 s: pmu-1 has 0 of 1 pods" in capsys.readouterr().out
    assert run(script, monkeypatch, tmp_path, [deployment(**WHOLE)], "240") == 0
    assert run(script, monkeypatch, tmp_path, [], "0.1") == 1
