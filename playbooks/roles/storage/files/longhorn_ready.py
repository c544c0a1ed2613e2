"""Wait until Longhorn's engine is on every node and every node takes replicas.

Runs on a server, with Python's standard library and kubectl only:

    longhorn_ready.py KUBECONFIG NODES LIMIT_S

Ends with 0 when it is so, and with 1 after LIMIT_S seconds, with what Longhorn itself says is
wrong with each node: missing packages, multipathd, mount propagation, a full disk.
"""

import json
import subprocess
import sys
import time
from typing import Any

PERIOD_S = 3.0
NEEDED = ("Ready", "Schedulable", "MountPropagation", "KernelModulesLoaded")
"""Conditions of a node without which it holds no replicas, or no pod can use them."""


def main() -> int:
    """Return the exit code."""
    kubeconfig, nodes, limit_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    begin = time.monotonic()
    while missing := lacking(get(kubeconfig, "engineimages"), get(kubeconfig, "nodes"), nodes):
        if time.monotonic() - begin > limit_s:
            print(f"Longhorn is not ready after {limit_s:.0f} s: {'; '.join(missing)}")
            return 1
        time.sleep(PERIOD_S)
    return 0


def get(kubeconfig: str, kind: str) -> list[dict[str, Any]]:
    """Return Longhorn's objects of a kind; nothing where none answers."""
    done = subprocess.run(
        [
            *("/usr/local/bin/kubectl", f"--kubeconfig={kubeconfig}", "--request-timeout=10s"),
            *("--namespace=longhorn-system", "get", f"{kind}.longhorn.io", "--output=json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    except (ValueError, KeyError):
        return []
    return items


def lacking(engines: list[dict[str, Any]], nodes: list[dict[str, Any]], wanted: int) -> list[str]:
    """Return what is not as it must be, a sentence each."""
    found = []
    if not engines:
        found.append("there is no engine image")
    for engine in engines:
        if (state := engine.get("status", {}).get("state")) != "deployed":
            found.append(f"the engine image {engine['metadata']['name']} is {state or 'unknown'}")
    if len(nodes) < wanted:
        found.append(f"it knows {len(nodes)} of {wanted} nodes")
    for node in nodes:
        conditions = node.get("status", {}).get("conditions") or []
        by_type = {condition["type"]: condition for condition in conditions}
        for name in NEEDED:
            condition = by_type.get(name, {})
            # A version that lacks a condition does not check it.
            if condition.get("status") != "True" and (condition or name in NEEDED[:2]):
                why = condition.get("message") or condition.get("reason") or "not said yet"
                found.append(f"{node['metadata']['name']} is not {name}: {why}")
    return found


if __name__ == "__main__":
    sys.exit(main())
