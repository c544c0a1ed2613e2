"""Wait until the pods of a namespace are rolled out; end at once where one never can be.

Runs on a server, with Python's standard library and kubectl only:

    until_rolled_out.py wait|look KUBECONFIG NAMESPACE SELECTOR [LIMIT_S]

`wait` ends with 0 when every Deployment and DaemonSet has all its pods, of its newest
template, available. It ends with 1 and says why after LIMIT_S seconds, or as soon as one of
those pods has for some time been in a state that waiting does not mend: its image is not
there, its configuration is refused, its container ends again and again, no network can be
set up for it, or no node takes it.
`look` prints the pods that are in such a state now, one a line, and ends with 0.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

PERIOD_S = 2.0
PATIENCE_S = 30.0
"""How long a pod must be in such a state: the cause may have been mended a moment ago."""
UNSCHEDULED_PATIENCE_S = 60.0
"""The same for a pod that no node takes: nodes come back."""
FINAL = frozenset(
    (
        *("ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    )
)
"""Reasons of a container that waits, which another try does not change."""
MOST_RESTARTS = 4
"""A container that has ended more often will end again; by then a minute has passed."""
MOST_SANDBOXES = 4
"""How often the pod's network may fail; the kubelet tries again every ten seconds or so."""
REVISION = "deployment.kubernetes.io/revision"


def main() -> int:
    """Return the exit code."""
    verb, kubeconfig, namespace, selector, *limit = sys.argv[1:]
    ask = Kubectl(kubeconfig, namespace)
    if verb == "look":
        for name, reason in hopeless(ask.things(selector), ask.sandbox_failures()).items():
            print(f"{name} can't start: {reason}")
        return 0
    begin = time.monotonic()
    since: dict[str, float] = {}
    while True:
        now = time.monotonic()
        missing = "no answer from the API server"
        found: dict[str, str] = {}
        if things := ask.things(selector):
            if not (missing := not_rolled_out(things)):
                return 0
            found = hopeless(things, ask.sandbox_failures())
        since = {name: since.get(name, now) for name in found}
        doomed = [name for name in found if now - since[name] >= patience_s(found[name])]
        if doomed:
            print("\n".join(f"{name} can't start: {found[name]}" for name in doomed))
            return 1
        if now - begin > float(limit[0]):
            print(f"Not rolled out after {now - begin:.0f} s: {missing}")
            return 1
        time.sleep(PERIOD_S)


class Kubectl:
    """kubectl with one kubeconfig in one namespace."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self._words = [
            *("/usr/local/bin/kubectl", f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"),
            *("--request-timeout=10s", "get", "--output=json"),
        ]

    def things(self, selector: str) -> list[dict[str, Any]]:
        """Return the controllers and pods with these labels; nothing where none answers."""
        return self._get(f"--selector={selector}", "deployments,daemonsets,replicasets,pods")

    def sandbox_failures(self) -> list[dict[str, Any]]:
        """Return the events of pods whose network could not be set up."""
        return self._get("--field-selector=reason=FailedCreatePodSandBox", "events")

    def _get(self, *words: str) -> list[dict[str, Any]]:
        done = subprocess.run([*self._words, *words], capture_output=True, text=True, check=False)
        try:
            items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
        except (ValueError, KeyError):
            return []
        return items


def not_rolled_out(things: list[dict[str, Any]]) -> str:
    """Say which controller lacks pods; nothing where none does."""
    controllers = [thing for thing in things if thing["kind"] in ("Deployment", "DaemonSet")]
    if not controllers:
        return "there is no Deployment and no DaemonSet"
    for thing in controllers:
        status = thing.get("status", {})
        if thing["kind"] == "Deployment":
            wanted = thing["spec"].get("replicas", 1)
            fresh, there = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
            old = status.get("replicas", 0) - fresh
        else:
            wanted = status.get("desiredNumberScheduled", 0)
            fresh, there = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
            old = 0
        seen = status.get("observedGeneration", 0) >= thing["metadata"].get("generation", 0)
        if not seen or old or min(fresh, there) < wanted:
            return f"{thing['metadata']['name']} has {min(fresh, there)} of {wanted} pods"
    return ""


def hopeless(
    things: list[dict[str, Any]], sandbox_failures: list[dict[str, Any]]
) -> dict[str, str]:
    """Return the pods that can't start, each with the reason.

    Pods of an older template don't count: they are about to be replaced.
    """
    outdated = set(outdated_replica_sets(things))
    failures = {
        event["involvedObject"].get("uid"): event for event in sandbox_failures if many(event)
    }
    found = {}
    for pod in things:
        about = pod["metadata"]
        owners = {owner["name"] for owner in about.get("ownerReferences", [])}
        if pod["kind"] != "Pod" or "deletionTimestamp" in about or owners & outdated:
            continue
        reason = why_waiting(pod)
        if not reason and about.get("uid") in failures and not has_network(pod):
            reason = f"no network for it: {short(failures[about['uid']].get('message', ''))}"
        if reason:
            found[about["name"]] = reason
    return found


def outdated_replica_sets(things: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the names of those that their Deployment has replaced, or is about to."""
    wanted = {}
    for thing in things:
        if thing["kind"] == "Deployment":
            about = thing["metadata"]
            seen = thing.get("status", {}).get("observedGeneration", 0)
            is_known = seen >= about.get("generation", 0)
            revision = about.get("annotations", {}).get(REVISION)
            wanted[about["name"]] = revision if is_known else "not made yet"
    for thing in things:
        if thing["kind"] == "ReplicaSet":
            about = thing["metadata"]
            revision = about.get("annotations", {}).get(REVISION)
            owners = [owner["name"] for owner in about.get("ownerReferences", [])]
            if any(wanted.get(owner, revision) != revision for owner in owners):
                yield about["name"]


def why_waiting(pod: dict[str, Any]) -> str:
    """Say why a container of the pod, or the pod itself, will never run; else nothing."""
    status = pod.get("status", {})
    for one in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        waiting = one.get("state", {}).get("waiting", {})
        reason = waiting.get("reason", "")
        if reason in FINAL:
            return f"{reason}: {short(waiting.get('message', '')) or one.get('image', '')}"
        if reason == "CrashLoopBackOff" and one.get("restartCount", 0) >= MOST_RESTARTS:
            ended = one.get("lastState", {}).get("terminated", {})
            how = f"{ended.get('reason', 'ended')}, exit code {ended.get('exitCode', '?')}"
            return f"its container {one['name']} ended {one['restartCount']} times ({how})"
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return f"Unschedulable: {short(condition.get('message', ''))}"
    return ""


def patience_s(reason: str) -> float:
    """Return how long a pod may have this reason."""
    return UNSCHEDULED_PATIENCE_S if reason.startswith("Unschedulable") else PATIENCE_S


def many(event: dict[str, Any]) -> bool:
    """Tell whether the event has come too often to pass."""
    series = event.get("series") or {}
    return max(event.get("count") or 0, series.get("count") or 0) >= MOST_SANDBOXES


def has_network(pod: dict[str, Any]) -> bool:
    """Tell whether the pod has got its address since."""
    return bool(pod.get("status", {}).get("podIP"))


def short(text: str) -> str:
    """Return a message of Kubernetes as one line."""
    line = " ".join(text.split())
    return line if len(line) <= 400 else f"{line[:200]} [...] {line[-200:]}"


if __name__ == "__main__":
    sys.exit(main())
