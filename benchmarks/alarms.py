"""`make bench-alarms`: cut off servers of a running lab by their role; count healthy nodes lost."""

import collections
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from kubernetes import client
from rich.console import Console
from rich.table import Table
from urllib3.exceptions import HTTPError

from benchmarks import command
from experiment import session
from lab.cluster import etcd
from lab.cluster.api import TIMEOUT_S, is_ready, ready_changed_at, why
from lab.cluster.lab import Lab
from lab.config import profiles, reactions
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal, wait
from lab.faults.fault import Unwritten, inject
from lab.faults.isolate import Isolate
from lab.nodes.node import Node

SERVING_LIMIT_S = 180
"""How long a server may take, once it is healed, until it is Ready and its API server answers."""
SETTLE_S = 10
"""Between two rounds, so that what one left does not reach into the next."""
MARGIN_S = 5.0
"""How much longer a server is cut off than its timers give the cluster to notice."""

ROLES = (
    "the one that the worker talks to",
    "another than that",
    "the lease holder",
    "etcd's leader",
)
"""What a server may be when it is cut off."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One server cut off once."""

    roles: tuple[str, ...]
    """What it was then, of ROLES."""
    server: str
    """Its name."""
    noticed: bool
    """Whether the cluster saw it as not Ready."""
    alarms: tuple[str, ...]
    """Other nodes that the cluster took for lost, sorted."""


def main(
    name: Annotated[str, typer.Option(help="The lab, which runs.")] = "blackstart",
    rounds: Annotated[
        int,
        typer.Option(
            help="How often a server of each role is cut off; one server may have several."
        ),
    ] = 10,
    seconds: Annotated[
        float,
        typer.Option(
            help=f"For how long; 0 is until a lost lease holder is NotReady, and {MARGIN_S:g} s."
        ),
    ] = 0.0,
) -> None:
    """Cut off servers; end with 1 where a healthy node did not stay Ready."""
    progress = Terminal()
    lab, about = session.look_up(name)
    latest = reactions.not_ready_after_take_over(profiles.load(about.profile))
    seconds = seconds or latest.latest_s + MARGIN_S
    done: list[Round] = []
    lacking = dict.fromkeys(ROLES, rounds)
    while any(lacking.values()):
        server, roles = _next(lab, lacking)
        one = cut_off(lab, server, roles, seconds, progress)
        done.append(one)
        for role in roles:
            lacking[role] = max(0, lacking[role] - 1)
        progress.note(f"  {len(done)}: {server.name}, {', '.join(roles)}: {_said(one)}")
        progress.note(
            f"  still to do: {', '.join(f'{n} of {role}' for role, n in lacking.items())}"
        )
    _show(done, f"{about.distribution}, {about.profile}, each for {seconds:g} s")
    raise typer.Exit(1 if any(one.alarms for one in done) else 0)


def cut_off(
    lab: Lab, server: Node, roles: Sequence[str], seconds: float, progress: Progress
) -> Round:
    """Cut `server`, which has `roles`, off for `seconds`; return what the cluster made of it.

    Raises LabError where a server does not serve after SERVING_LIMIT_S, before it or after.
    """
    _wait_until_serving(lab, progress)  # A healed API server may end some seconds later.
    others = [node for node in lab.nodes if node != server]
    witness = next(node.name for node in others if node.role == "server")
    before = _nodes(lab)
    fault = Isolate(node=server, others=others)
    with inject(fault, lab_name=lab.name, journal=Unwritten(), limit_s=seconds + 60):
        time.sleep(seconds)
        noticed = not _is_ready(lab, server.name, witness)
    _wait_until_serving(lab, progress)
    time.sleep(SETTLE_S)
    after = _nodes(lab)
    # A look a second may miss that a node was not Ready.
    alarms = [
        node.name
        for node in others
        if ready_changed_at(before[node.name]) != ready_changed_at(after[node.name])
    ]
    return Round(
        roles=tuple(roles), server=server.name, noticed=noticed, alarms=tuple(sorted(alarms))
    )


def _next(lab: Lab, lacking: Mapping[str, int]) -> tuple[Node, list[str]]:
    """Return the server to cut off next, and its roles: it has the most that are lacking."""
    holders = _holders(lab)
    roles = {
        server.name: [role for role, held in holders.items() if server.name in held]
        for server in lab.cluster.servers
    }
    name = max(roles, key=lambda name: sum(lacking[role] > 0 for role in roles[name]))
    return lab.node(name), roles[name]


def _holders(lab: Lab) -> Mapping[str, set[str]]:
    """Return which servers have each of ROLES now; one may have several."""
    used = _of_worker(lab)
    others = {server.name for server in lab.cluster.servers} - {used}
    return dict(
        zip(ROLES, ({used}, others, {_lease_holder(lab)}, {_etcd_leader(lab)}), strict=True)
    )


def _of_worker(lab: Lab) -> str:
    """Return the server that most of the first worker's connections to the API go to."""
    worker = next(node for node in lab.nodes if node.role == "worker")
    said = worker.run(["ss", "-Htn", "state", "established", "( dport = :6443 )"]).stdout
    ends = [line.split()[-1].rpartition(":")[0] for line in said.splitlines() if line.strip()]
    counted = collections.Counter(ends)
    return max(lab.cluster.servers, key=lambda server: counted[server.address]).name


def _lease_holder(lab: Lab) -> str:
    """Return the server whose controller-manager decides which nodes are Ready."""
    leases = client.CoordinationV1Api(lab.cluster.api())
    lease = leases.read_namespaced_lease(
        "kube-controller-manager", "kube-system", _request_timeout=TIMEOUT_S
    )
    return str(lease.spec.holder_identity).partition("_")[0]


def _etcd_leader(lab: Lab) -> str:
    for server in lab.cluster.servers:
        member = etcd.member(server)
        if member and member.is_leader:
            return server.name
    raise LabError("No member of etcd says that it is the leader.", "Look at `lab status`.")


def _nodes(lab: Lab) -> Mapping[str, Any]:
    return {node.metadata.name: node for node in lab.cluster.list_nodes()}


def _wait_until_serving(lab: Lab, progress: Progress) -> None:
    with progress.step("Wait until all servers serve", limit_s=SERVING_LIMIT_S) as step:
        wait("all servers to serve", lambda: _missing(lab), limit_s=SERVING_LIMIT_S, step=step)


def _missing(lab: Lab) -> str | None:
    """Return what a server lacks; one that is cut off for long may end its API server."""
    for server in lab.cluster.servers:
        try:
            if not _is_ready(lab, server.name, witness=server.name):
                return f"{server.name} is not Ready"
        except (HTTPError, client.ApiException) as error:
            return f"the API server of {server.name} does not answer: {why(error)}"
    return None


def _is_ready(lab: Lab, name: str, witness: str) -> bool:
    """Ask one server: another may be the one that is cut off, and take its time to refuse."""
    core = client.CoreV1Api(lab.cluster.api_of(witness))
    return is_ready(core.read_node(name, _request_timeout=TIMEOUT_S))


def _said(one: Round) -> str:
    seen = "seen" if one.noticed else "not seen within that time"
    return f"{seen}; healthy nodes taken for lost: {', '.join(one.alarms) or 'none'}"


def _show(done: list[Round], about: str) -> None:
    table = Table("Server", "cut off", "seen", "healthy nodes lost", title=about)
    for role in ROLES:
        its = [one for one in done if role in one.roles]
        table.add_row(
            role,
            str(len(its)),
            str(sum(one.noticed for one in its)),
            str(sum(len(one.alarms) for one in its)),
        )
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
