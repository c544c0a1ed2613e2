"""Give the cluster's name service its replicas, the profile's tolerations, and nodes of its own.

Runs on a server, with Python's standard library and kubectl only:

    spread.py do|look KUBECONFIG REPLICAS TOLERATION_S LIMIT_S

Answers in JSON what it did, {"done": []} where nothing was to do; `look` says what it would do
first, and does nothing. Ends with 1, and says what is missing, where that is not reached within
LIMIT_S seconds.
"""

import json
import subprocess
import sys
import time
from typing import Any

DEPLOYMENT = "deployment/coredns"
SELECTOR = "k8s-app=kube-dns"
LOST = "node.kubernetes.io/unreachable"
"""The taint of a node that no server hears of."""
MADE_BEFORE = "made under other timers"
CROWDED = "on the others' node"
PERIOD_S = 1.0


def main() -> int:
    """Return the exit code."""
    verb, kubeconfig, replicas, toleration_s, limit_s = sys.argv[1:]
    cluster = Kubectl(kubeconfig, changes=verb == "do")
    begin = time.monotonic()
    done: list[str] = []
    while True:
        try:
            missing = step(cluster, int(replicas), int(toleration_s), done)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            missing = " ".join((getattr(error, "stderr", "") or str(error)).split())
        if not missing or (done and verb == "look"):
            print(json.dumps({"done": done}))
            return 0
        if time.monotonic() - begin > float(limit_s):
            print(f"After {limit_s} s: {missing}.")
            return 1
        time.sleep(PERIOD_S)


def step(cluster: "Kubectl", replicas: int, toleration_s: int, done: list[str]) -> str:
    """Do what can be done now, noting it in `done`; return what has to be waited for, or nothing.

    A pod is judged when it has its node: on a cluster that is being made, that is when
    another node than the first takes pods.
    """
    if waiting := [node for node in cluster.items("nodes") if not is_ready(node)]:
        return f"not Ready: {', '.join(name(node) for node in waiting)}"
    deployment = cluster.get(DEPLOYMENT)
    if deployment["spec"].get("replicas", 1) != replicas:
        cluster.change("scale", DEPLOYMENT, f"--replicas={replicas}")
        done.append(f"scaled to {replicas}")
    pods = [
        pod
        for pod in cluster.items("pods", f"--selector={SELECTOR}")
        if "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") != "Failed"
    ]
    if len(pods) != replicas:
        return f"{len(pods)} of {replicas} pods are there"
    if unplaced := [pod for pod in pods if not pod["spec"].get("nodeName")]:
        return f"without a node: {', '.join(name(pod) for pod in unplaced)}"
    # One at a time, so that names are always served.
    outdated = [pod for pod in pods if tolerates_s(pod) not in (None, toleration_s)]
    # Once: where no other node takes pods, one node for all is the best there is.
    nodes = {pod["spec"]["nodeName"] for pod in pods}
    crowded = pods[1:] if len(nodes) == 1 and not any(CROWDED in entry for entry in done) else []
    if not outdated and not crowded:
        return ""
    if unready := [pod for pod in pods if not is_ready(pod)]:
        return f"not ready yet: {', '.join(name(pod) for pod in unready)}"
    gone = (outdated or crowded)[0]
    cluster.change("delete", f"pod/{name(gone)}", "--wait=false")
    done.append(f"replaced {name(gone)}, {MADE_BEFORE if outdated else CROWDED}")
    return f"the replacement of {name(gone)} is not there yet"


def tolerates_s(pod: dict[str, Any]) -> int | None:
    """Return how long the pod stays bound to a lost node; None if for ever."""
    for toleration in pod["spec"].get("tolerations", []):
        if toleration.get("key") == LOST:
            return toleration.get("tolerationSeconds")
    return None


def is_ready(thing: dict[str, Any]) -> bool:
    """Tell whether a node or a pod has the condition Ready."""
    conditions = thing.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def name(thing: dict[str, Any]) -> str:
    """Return the name of an object."""
    return str(thing["metadata"]["name"])


class Kubectl:
    """kubectl, as an administrator of the cluster, where the name service is."""

    def __init__(self, kubeconfig: str, *, changes: bool = True) -> None:
        self._changes = changes
        self._argv = ["kubectl", f"--kubeconfig={kubeconfig}", "--namespace=kube-system"]

    def run(self, *words: str) -> str:
        """Return what it prints; raises CalledProcessError where it fails."""
        argv = [*self._argv, "--request-timeout=10s", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def change(self, *words: str) -> None:
        """Run what changes the cluster, where that is wanted."""
        if self._changes:
            self.run(*words)

    def get(self, *words: str) -> dict[str, Any]:
        """Return one object."""
        found: dict[str, Any] = json.loads(self.run("get", *words, "--output=json"))
        return found

    def items(self, *words: str) -> list[dict[str, Any]]:
        """Return the objects of a kind."""
        found: list[dict[str, Any]] = self.get(*words)["items"]
        return found


if __name__ == "__main__":
    sys.exit(main())
