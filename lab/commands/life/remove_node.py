"""`lab remove-node`: a node drained, taken out of the cluster, and removed."""

import time
from typing import Annotated

import typer

from lab.cluster.admin import KUBECTL, ready_server
from lab.cluster.api import internal_address
from lab.cluster.lab import Lab
from lab.cluster.snapshots import MEMBERS
from lab.commands import options
from lab.commands.life.changing import evenness, opened
from lab.commands.life.up import bring_up
from lab.config import inventory as inventories
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal, duration
from lab.console.suggestions import meant
from lab.host.command import CommandError
from lab.nodes.node import Node

DRAIN_LIMIT_S = 180
"""How long the node's pods may take to leave."""
TAKE_OUT_LIMIT_S = 60
"""How long etcd may take to let a member go."""

app = options.verb_app()


@app.command(**options.shown("lab remove-node worker-1", "lab remove-node server-3 --force"))
@options.explained(options.GOES_ON)
def remove_node(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Its name.")],
    force: Annotated[
        bool, typer.Option("--force", help="Remove it though its pods can't leave in order.")
    ] = False,
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.Name = options.DEFAULT_NAME,
) -> None:
    """Drain a node, take it out of the cluster, and remove it.

    `lab up` makes it no more, also where the inventory has it, until `lab add-node` or
    `lab down`. A node that is off, or gone, is not drained.
    """
    started = time.monotonic()
    lab, of_files, roster = opened(inventory, name)
    hosts = roster.applied(of_files.hosts)
    if node not in hosts:
        raise LabError(
            f"The lab {name!r} has no node {node!r}.",
            f"{meant(node, list(hosts))} Its nodes are: {', '.join(hosts)}.".strip(),
        )
    roster = roster.with_removed(node, of_files.hosts)
    wanted = inventories.changed(of_files, roster)
    if not wanted.servers:
        raise LabError(f"{node} is the lab's only server.", "`lab down` removes the whole lab.")
    progress = Terminal()
    with lab.state.lock():
        _leave(lab, node, force=force, progress=progress)
        lab.provider.remove(node)
        roster.write(lab.state)
    bring_up(wanted, progress)
    print(
        f"\n{node} is removed from the lab {name!r} after {duration(time.monotonic() - started)}."
    )
    if advice := evenness(wanted):
        print(advice)


def _leave(lab: Lab, name: str, *, force: bool, progress: Progress) -> None:
    """Drain the node where it runs, and take it out of the cluster.

    Raises LabError where its pods can't leave, unless `force`, or the others have no
    majority; what was begun is told.
    """
    server = ready_server(lab, besides=name)
    leaving = next((node for node in lab.running_nodes if node.name == name), None)
    if leaving is not None:
        _drain(server, leaving, force=force, progress=progress)
    address = _address(lab, name)
    with progress.step(f"Take {name} out of the cluster", limit_s=TAKE_OUT_LIMIT_S):
        words = ["take_out", str(TAKE_OUT_LIMIT_S), f"{name}={address}"]
        answer = server.run(
            ["python3", "-", *words],
            stdin=MEMBERS.read_text(),
            timeout_s=TAKE_OUT_LIMIT_S + 90,
            check=False,
        )
    if answer.returncode != 0:
        raise LabError(
            f"{name} could not be taken out of the cluster.",
            f"Start the servers that don't run (`lab up`), then run this again; or let pods back "
            f"on it: lab kubectl uncordon {name}",
            evidence=answer.stdout.strip() or answer.stderr.strip(),
        )


def _address(lab: Lab, name: str) -> str:
    """Return the address by which etcd knows a node, from Kubernetes where no machine has it."""
    for node in lab.nodes:
        if node.name == name:
            return node.address
    known = [node for node in lab.cluster.list_nodes() if node.metadata.name == name]
    return next(map(internal_address, known), "") or "none"


def _drain(server: Node, leaving: Node, *, force: bool, progress: Progress) -> None:
    """Let the pods of `leaving` go to other nodes, then end its kubelet.

    One that goes on would enter itself into the cluster again.
    """
    known = [*KUBECTL, "get", "node", leaving.name, "--ignore-not-found", "--output=name"]
    if not server.run(known, check=False).stdout.strip():
        return  # taken out by a run that did not come to its end
    drain = [
        *("drain", leaving.name, "--ignore-daemonsets", "--delete-emptydir-data", "--force"),
        f"--timeout={DRAIN_LIMIT_S}s",
    ]
    try:
        with progress.step(f"Drain {leaving.name}", limit_s=DRAIN_LIMIT_S):
            server.run([*KUBECTL, *drain], timeout_s=DRAIN_LIMIT_S + 30)
    except CommandError as error:
        if not force:
            raise LabError(
                f"{leaving.name} could not be drained within {DRAIN_LIMIT_S} s, and no pod goes "
                "there any more.",
                f"Mend what keeps them, or remove it with --force; to keep the node: "
                f"lab kubectl uncordon {leaving.name}",
                evidence=error.evidence,
            ) from None
        progress.note(f"  {leaving.name} is removed with the pods that did not leave it")
    # A k3s server's kubelet is in one process with its etcd, which has to agree to leave.
    leaving.run(["systemctl", "stop", "kubelet", "k3s-agent"], timeout_s=60, check=False)
