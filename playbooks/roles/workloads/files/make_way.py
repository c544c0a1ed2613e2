"""Wait until every node takes pods; remove what is in their way, and tell which are outdated.

Runs on a server, with Python's standard library and kubectl only:

    make_way.py do|look KUBECONFIG TOLERATION_S LIMIT_S

A node that takes no pods yet would be left out of the spread, and pods don't move later. A pod
that a node has refused for good stays behind, and a Deployment that makes its pods again waits
for its end for ever: it is removed. The API server gives a pod its tolerations when it is made,
so that those of a Deployment with others are outdated.
Answers in JSON {"removed": PODS, "outdated": DEPLOYMENTS}; `look` says what it would do. Ends
with 1, and says which nodes take no pods, where that lasts longer than LIMIT_S seconds.
"""

import json
import subprocess
import sys
import time
from typing import Any

NAMESPACE = "grid"
PART_OF = "app.kubernetes.io/part-of"
APP = "app.kubernetes.io/name"
SYSTEM = "node.kubernetes.io/"
"""Begins the taints that Kubernetes itself gives a node."""
LOST = f"{SYSTEM}unreachable"
PERIOD_S = 1.0


def main() -> int:
    """Return the exit code."""
    verb, kubeconfig, toleration_s, limit_s = sys.argv[1:]
    cluster = Kubectl(kubeconfig)
    begin = time.monotonic()
    while missing := closed(things := cluster.things()):
        if time.monotonic() - begin > float(limit_s):
            print(f"After {limit_s} s, these nodes take no pods: {', '.join(missing)}.")
            return 1
        time.sleep(PERIOD_S)
    removed = failed(things)
    if removed and verb == "do":
        cluster.run("delete", "pods", "--ignore-not-found", *removed)
    print(json.dumps({"removed": removed, "outdated": outdated(things, int(toleration_s))}))
    return 0


def closed(things: list[dict[str, Any]]) -> list[str]:
    """Return the nodes that take no pods, each with the reason; one text where none is known."""
    nodes = [thing for thing in things if thing["kind"] == "Node"]
    found = []
    for node in nodes:
        keys = [taint["key"] for taint in node["spec"].get("taints", [])]
        if reasons := [key.removeprefix(SYSTEM) for key in keys if key.startswith(SYSTEM)]:
            found.append(f"{node['metadata']['name']} ({', '.join(reasons)})")
    return found if nodes else ["the API server names none"]


def failed(things: list[dict[str, Any]]) -> list[str]:
    """Return the names of the workloads' pods that have failed."""
    return [
        pod["metadata"]["name"]
        for pod in workloads(things)
        if pod.get("status", {}).get("phase") == "Failed"
    ]


def outdated(things: list[dict[str, Any]], toleration_s: int) -> list[str]:
    """Return the Deployments with a pod that stays bound to a lost node for another time."""
    gone = set(failed(things))
    return sorted(
        {
            pod["metadata"]["labels"][APP]
            for pod in workloads(things)
            if pod["metadata"]["name"] not in gone and tolerates_s(pod) != toleration_s
        }
    )


def workloads(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the pods that are the workloads'."""
    return [
        thing
        for thing in things
        if thing["kind"] == "Pod" and thing["metadata"].get("labels", {}).get(PART_OF) == NAMESPACE
    ]


def tolerates_s(pod: dict[str, Any]) -> int | None:
    """Return how long the pod stays bound to a lost node; None if for ever."""
    for toleration in pod["spec"].get("tolerations", []):
        if toleration.get("key") == LOST:
            return toleration.get("tolerationSeconds")
    return None


class Kubectl:
    """kubectl with one kubeconfig, in the workloads' namespace."""

    def __init__(self, kubeconfig: str) -> None:
        options = (f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACE}")
        self._words = ("/usr/local/bin/kubectl", *options, "--request-timeout=10s")

    def run(self, *words: str) -> str:
        """Return what it prints; raises CalledProcessError where it fails."""
        argv = [*self._words, *words]
        return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout

    def things(self) -> list[dict[str, Any]]:
        """Return all nodes and the namespace's pods; none where no server answers."""
        try:
            items: list[dict[str, Any]] = json.loads(
                self.run("get", "nodes,pods", "--output=json")
            )["items"]
        except (subprocess.CalledProcessError, ValueError):
            return []
        return items


if __name__ == "__main__":
    sys.exit(main())
