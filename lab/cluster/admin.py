"""kubectl with the administrator's rights, run on a server: this machine needs none."""

from collections.abc import Sequence

from lab.cluster.api import KUBECONFIG_IN_NODE, NAMESPACE
from lab.cluster.lab import Lab
from lab.console.errors import LabError
from lab.nodes.node import Node

KUBECTL = ("env", f"KUBECONFIG={KUBECONFIG_IN_NODE}", "kubectl")
"""kubectl as it is called on a server."""


def kubectl_argv(lab: Lab, arguments: Sequence[str], *, terminal: bool) -> tuple[str, ...]:
    """Return the command that runs `kubectl arguments` on a server whose API is ready.

    Raises LabError where no server has one.
    """
    option = "-t" if terminal else "-T"
    return ready_server(lab).root_argv([*KUBECTL, *arguments], option)


def ready_server(lab: Lab, *, besides: str = "") -> Node:
    """Return the first running server whose own API is ready, `besides` one of that name.

    Raises LabError where none is.
    """
    for server in lab.cluster.servers:
        if server.name not in lab.running or server.name == besides:
            continue
        probe = [*KUBECTL, "--request-timeout=3s", "get", "--raw", "/readyz"]
        if server.run(probe, timeout_s=15, check=False).returncode == 0:
            return server
    raise LabError(
        f"No server of the lab {lab.name!r} reaches a ready API.",
        "Run `lab heal`, then `lab up`; `lab logs NODE` shows a node's journal.",
    )


def workload_evidence(servers: Sequence[Node]) -> str:
    """Return the pods and the newest events of the workloads, as kubectl shows them."""
    pods = [*KUBECTL, "get", "pods", "-n", NAMESPACE, "-o", "wide"]
    events = [*KUBECTL, "get", "events", "-n", NAMESPACE, "--sort-by=.lastTimestamp"]
    for server in servers:
        shown = server.run(pods, check=False)
        if shown.returncode == 0:
            newest = server.run(events, check=False).stdout.splitlines()[-15:]
            return shown.stdout + "\n".join(newest)
    return "no server answers"
