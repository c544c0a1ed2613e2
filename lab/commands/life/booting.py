"""From machines that are off to frames: what `lab up` and `lab start` have in common."""

from collections.abc import Sequence

from lab.cluster.admin import workload_evidence
from lab.cluster.api import Cluster
from lab.cluster.stuck import frames_missing, unless_ended
from lab.console.progress import Progress, wait
from lab.nodes.node import Node
from lab.providers.provider import Provider

BOOT_LIMIT_S = 60
FRAMES_LIMIT_S = 180


def boot(provider: Provider, progress: Progress) -> tuple[Node, ...]:
    """Start the nodes, and return them when all answer."""
    nodes = provider.list_nodes().nodes
    with progress.step(f"Boot {len(nodes)} nodes", limit_s=BOOT_LIMIT_S) as step:
        provider.start()
        wait(
            "SSH on every node",
            lambda: unless_ended(_not_booted(nodes), provider, nodes),
            limit_s=BOOT_LIMIT_S,
            step=step,
            evidence=provider.journal,
            cure="Run `lab down`, then `lab up` again.",
        )
    return nodes


def _not_booted(nodes: Sequence[Node]) -> str | None:
    for node in nodes:
        answer = node.run(["systemctl", "is-system-running"], timeout_s=10, check=False)
        # A unit that failed is the playbook's preflight's to judge, not the boot's.
        if answer.stdout.strip() not in ("running", "degraded"):
            return f"{node.name}: {answer.stdout.strip() or answer.stderr.strip() or 'no answer'}"
    return None


def await_frames(cluster: Cluster, progress: Progress) -> None:
    """Wait until a consumer outside the cluster gets frames; raises LabError with evidence."""
    title = "Wait for frames at a consumer outside the cluster"
    with progress.step(title, limit_s=FRAMES_LIMIT_S) as step:
        wait(
            "frames at a consumer outside the cluster",
            frames_missing(cluster),
            limit_s=FRAMES_LIMIT_S,
            step=step,
            evidence=lambda: workload_evidence(cluster.servers),
            cure="`lab kubectl -n grid logs POD` shows what a pod says.",
        )
