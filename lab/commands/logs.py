"""`lab logs`: the journal of a node, or the logs of a workload."""

from collections.abc import Sequence
from typing import Annotated

import typer

from lab.cluster.admin import kubectl_argv
from lab.cluster.api import NAMESPACE
from lab.cluster.lab import Lab, find
from lab.commands import options

app = options.verb_app()


@app.command()
@options.explained()
def logs(
    what: Annotated[str, typer.Argument(help="A node, or a workload such as pdc-higher.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many to show.")] = 100,
    name: options.Name = options.DEFAULT_NAME,
) -> None:
    """Show a node's journal, or what a workload's containers print."""
    options.become(list(_argv(find(name), what, follow=follow, lines=lines)))


def _argv(lab: Lab, what: str, *, follow: bool, lines: int) -> Sequence[str]:
    following = ["--follow"] if follow else []
    nodes = {node.name: node for node in lab.nodes}
    if what in nodes:
        journal = ["journalctl", "--no-pager", "-n", str(lines), *following]
        return nodes[what].root_argv(journal)
    selector = f"app.kubernetes.io/name={what}"
    arguments = ["logs", "-n", NAMESPACE, "-l", selector, "--all-containers", "--prefix"]
    return kubectl_argv(lab, [*arguments, f"--tail={lines}", *following], terminal=False)
