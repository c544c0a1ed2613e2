"""Waits of `lab up` that end early: what they wait for can't come any more."""

import time
from collections.abc import Callable, Sequence

from lab.cluster.admin import workload_evidence
from lab.cluster.api import KUBECONFIG_IN_NODE, NAMESPACE, Cluster
from lab.cluster.frames import frame_rates, not_flowing
from lab.config.files import PLAYBOOKS
from lab.console.errors import LabError
from lab.nodes.node import Node
from lab.providers.provider import Provider

SCRIPT = PLAYBOOKS / "files" / "until_rolled_out.py"
"""Runs on a server, and judges its pods."""
SELECTOR = "app.kubernetes.io/part-of=grid"
PATIENCE_S = 30.0
"""How long a pod must be in a state that does not mend: its cause may have been mended just now."""
LOOK_AGAIN_S = 10.0


def hopeless_pods(servers: Sequence[Node]) -> dict[str, str]:
    """Return the workloads' pods that can't start, each with why, as a server tells."""
    argv = ["python3", "-", "look", KUBECONFIG_IN_NODE, NAMESPACE, SELECTOR]
    for server in servers:
        told = server.run(argv, stdin=SCRIPT.read_text(), timeout_s=30, check=False)
        if told.returncode == 0:
            return {line.partition(" ")[0]: line for line in told.stdout.splitlines()}
    return {}


def frames_missing(cluster: Cluster) -> Callable[[], str | None]:
    """Return a function that says which PDC sends too little, or None where all frames flow.

    It raises LabError where a pod has been unable to start for PATIENCE_S.
    """
    since: dict[str, float] = {}
    looked_s = time.monotonic()

    def missing() -> str | None:
        nonlocal since, looked_s
        lacking = not_flowing(frame_rates(cluster.nodes))
        if lacking is None or time.monotonic() - looked_s < LOOK_AGAIN_S:
            return lacking
        looked_s = time.monotonic()
        found = hopeless_pods(cluster.servers)
        since = {pod: since.get(pod, looked_s) for pod in found}
        doomed = [found[pod] for pod in found if looked_s - since[pod] >= PATIENCE_S]
        if doomed:
            raise LabError(
                f"No frames will come: {'; '.join(doomed)}.",
                "Mend that, then run `lab up` again; `lab logs POD` shows what a pod says.",
                evidence=workload_evidence(cluster.servers),
            )
        return lacking

    return missing


def unless_ended(missing: str | None, provider: Provider, nodes: Sequence[Node]) -> str | None:
    """Return what is missing of the boot.

    Raises LabError where a node that was started does not run any more: it never answers.
    """
    if missing is None:
        return None
    running = provider.list_nodes().running
    if ended := [node.name for node in nodes if node.name not in running]:
        raise LabError(
            f"{', '.join(ended)} ended while booting, and will not answer any more.",
            "The lines below are the nodes' last. Run `lab down`, then `lab up` again.",
            evidence=provider.journal(),
        )
    return missing
