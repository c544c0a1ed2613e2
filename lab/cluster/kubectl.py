"""kubectl for the user: it runs on a server, so that none is needed on this machine."""

import shlex
from collections.abc import Sequence

from lab.cluster.api import KUBECONFIG_IN_NODE, NAMESPACE
from lab.cluster.find import Lab
from lab.console.errors import LabError
from lab.nodes.node import Node

KUBECTL = ("env", f"KUBECONFIG={KUBECONFIG_IN_NODE}", "kubectl")
"""kubectl as it is called on a server."""


def ssh_argv(lab: Lab, arguments: Sequence[str], *, terminal: bool) -> tuple[str, ...]:
    """Return the command that runs `kubectl arguments` on a server whose API is ready.

    Raises LabError where no server has one.
    """
    command = shlex.join([*KUBECTL, *arguments])
    return (*_ready_server(lab).ssh_argv("-t" if terminal else "-T"), command)


def logs_argv(lab: Lab, what: str, *, follow: bool, lines: int) -> tuple[str, ...]:
    """Return the command that shows the journal or the logs of `what`: a node or a workload."""
    following = ["--follow"] if follow else []
    nodes = {node.name: node for node in lab.nodes}
    if what in nodes:
        journal = ["journalctl", "--no-pager", "-n", str(lines), *following]
        return (*nodes[what].ssh_argv(), shlex.join(journal))
    selector = f"app.kubernetes.io/name={what}"
    arguments = ["logs", "-n", NAMESPACE, "-l", selector, "--all-containers", "--prefix"]
    return ssh_argv(lab, [*arguments, f"--tail={lines}", *following], terminal=False)


def _ready_server(lab: Lab) -> Node:
    for server in lab.cluster.servers:
        if server.name not in lab.running:
            continue
        probe = [*KUBECTL, "--request-timeout=3s", "get", "--raw", "/readyz"]
        if server.run(probe, timeout_s=15, check=False).returncode == 0:
            return server
    raise LabError(
        f"No server of the lab {lab.name!r} reaches a ready API.",
        "Run `lab heal`, then `lab up`; `lab logs NODE` shows a node's journal.",
    )
