"""`make bench-alarms`: cut off each server of a running lab; count healthy nodes lost with it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from kubernetes import client
from rich.console import Console
from rich.table import Table

from benchmarks import command
from lab.cluster.api import TIMEOUT_S, is_ready, ready_changed_at
from lab.cluster.lab import Lab, find
from lab.console.progress import Progress, Terminal, wait
from lab.faults.fault import Unwritten, inject
from lab.faults.isolate import Isolate
from lab.nodes.node import Node

READY_LIMIT_S = 180
"""How long a server may take, once it is healed, until it is Ready again."""
SETTLE_S = 10
"""Between two rounds, so that what one left does not reach into the next."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One server cut off once."""

    server: str
    """The server."""
    holder: bool
    """Whether its controller-manager held the lease before."""
    noticed: bool
    """Whether the cluster saw it as not Ready."""
    alarms: tuple[str, ...]
    """Other nodes that the cluster took for lost, sorted."""


def main(
    name: Annotated[str, typer.Option(help="The lab, which runs.")] = "blackstart",
    rounds: Annotated[int, typer.Option(help="How often each server is cut off.")] = 10,
    seconds: Annotated[float, typer.Option(help="For how long.")] = 18.0,
) -> None:
    """Cut off each server in turn; end with 1 where a healthy node did not stay Ready."""
    progress = Terminal()
    lab = find(name)
    done = []
    for number in range(1, rounds + 1):
        for server in lab.cluster.servers:
            done.append(cut_off(lab, server, seconds, progress))
            progress.note(f"  round {number} of {rounds}, {server.name}: {_said(done[-1])}")
    _show(done)
    raise typer.Exit(1 if any(one.alarms for one in done) else 0)


def cut_off(lab: Lab, server: Node, seconds: float, progress: Progress) -> Round:
    """Cut `server` off for `seconds`, and return what the cluster made of it.

    Raises LabError where the server is not Ready again READY_LIMIT_S after it was healed.
    """
    others = [node for node in lab.nodes if node != server]
    witness = next(node.name for node in others if node.role == "server")
    before = _nodes(lab)
    holder = _holder(lab, witness)
    fault = Isolate(node=server, others=others)
    with inject(fault, lab_name=lab.name, journal=Unwritten(), limit_s=seconds + 60):
        time.sleep(seconds)
        noticed = not _is_ready(lab, server.name, witness)
    with progress.step(f"Wait until {server.name} is Ready again", limit_s=READY_LIMIT_S) as step:
        wait(
            f"{server.name} to be Ready",
            lambda: None if is_ready(_nodes(lab)[server.name]) else "it is not Ready",
            limit_s=READY_LIMIT_S,
            step=step,
        )
    time.sleep(SETTLE_S)
    after = _nodes(lab)
    # A look a second may miss that a node was not Ready.
    alarms = [
        node.name
        for node in others
        if ready_changed_at(before[node.name]) != ready_changed_at(after[node.name])
    ]
    return Round(
        server=server.name,
        holder=holder == server.name,
        noticed=noticed,
        alarms=tuple(sorted(alarms)),
    )


def _nodes(lab: Lab) -> Mapping[str, Any]:
    return {node.metadata.name: node for node in lab.cluster.list_nodes()}


def _is_ready(lab: Lab, name: str, witness: str) -> bool:
    """Ask one server: another may be the one that is cut off, and take its time to refuse."""
    core = client.CoreV1Api(lab.cluster.api_of(witness))
    return is_ready(core.read_node(name, _request_timeout=TIMEOUT_S))


def _holder(lab: Lab, witness: str) -> str:
    leases = client.CoordinationV1Api(lab.cluster.api_of(witness))
    lease = leases.read_namespaced_lease(
        "kube-controller-manager", "kube-system", _request_timeout=TIMEOUT_S
    )
    return str(lease.spec.holder_identity).partition("_")[0]


def _said(one: Round) -> str:
    seen = "seen" if one.noticed else "not seen within that time"
    return f"{seen}; healthy nodes taken for lost: {', '.join(one.alarms) or 'none'}"


def _show(done: list[Round]) -> None:
    table = Table("Cut off", "Rounds", "as lease holder", "seen", "healthy nodes lost")
    for server in dict.fromkeys(one.server for one in done):
        its = [one for one in done if one.server == server]
        table.add_row(
            server,
            str(len(its)),
            str(sum(one.holder for one in its)),
            str(sum(one.noticed for one in its)),
            str(sum(len(one.alarms) for one in its)),
        )
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
