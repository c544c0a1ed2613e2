"""`lab up`: from nothing, or from whatever is there, to frames that flow."""

import time
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from lab import bundle
from lab.artefacts import Cache
from lab.cluster import membership, snapshots
from lab.cluster.api import Cluster
from lab.cluster.membership import Census
from lab.cluster.snapshots import Snapshot
from lab.commands import options
from lab.commands.life.booting import await_frames, boot
from lab.commands.life.checking import would_do
from lab.commands.life.preparing import PLAYBOOK_LIMIT_S, prepare, variables
from lab.config.files import SUITE
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal, duration
from lab.faults import healing
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import Provider
from lab.provisioning.playbook import PlayRecap, play

app = options.verb_app()


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """A lab that was brought up."""

    recap: PlayRecap
    """What the playbook did."""
    seconds: float
    """How long all of it took."""


@app.command(**options.shown("lab up", "lab up --set lab_profile=floor --check"))
@options.explained(options.GOES_ON)
def up(
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.NameOverride = None,
    settings: options.SetOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Tell what it would do, and leave the lab as it is.")
    ] = False,
) -> None:
    """Bring the lab up, or to the state its inventory describes; frames flow at the end."""
    wanted = options.read_lab(inventory, name, settings)
    if check:
        with options.explained(options.NOTHING_CHANGED):
            lines = would_do(wanted, Terminal())
        print("\n".join(f"would: {line}" for line in lines) or "Nothing would change.")
        return
    result = bring_up(wanted, Terminal())
    called = wanted.settings.lab_name
    print(
        f"\nThe lab {called!r} is up after {duration(result.seconds)} "
        f"(changed={sum(result.recap.changed.values())}): frames flow.\n{_next_steps(called)}"
    )


def _next_steps(name: str) -> str:
    """Return the commands that a user may want now, each with what it does."""
    default = name == options.DEFAULT_NAME
    option = "" if default else f" --name {name}"
    suite = f"pytest -m failover {SUITE}".rstrip() + ("" if default else f" --lab {name}")
    commands = {
        f"lab status{option}": "nodes, pods, frame rates",
        f"lab kubectl{option} get pods -A": "the cluster",
        suite: "break it and measure its recovery",
        f"lab down{option}": "remove it",
    }
    width = max(map(len, commands))
    return "\n".join(f"  {command:<{width}}   {does}" for command, does in commands.items())


def bring_up(inventory: Inventory, progress: Progress, *, restore: bool = False) -> UpResult:
    """Bring the lab of `inventory` to the state that it describes.

    What is there already stays as it is: on a lab that runs, no task changes anything.
    Nodes that are lost are made again, and join the cluster of those that are left. With
    `restore`, a cluster whose majority is lost is made again too; without it, that raises
    LabError, and nothing was changed.
    """
    started = time.monotonic()
    settings = inventory.settings
    state = StateDirectory(settings.lab_name)
    cache = Cache()
    provider = registry.of(settings, cache)
    with state.lock():
        ready = prepare(inventory, provider, cache, progress)
        kept = snapshots.newest(state)
        if restore or {*inventory.servers} - ready.existing:
            found = _look_at_members(provider, inventory, kept, progress)
            (found.require_loss if restore else found.require_majority)(settings.lab_name, kept)
        provider.create(inventory, ready.choice.distribution, progress)
        if ready.inventory != inventory:
            bundle.remember(ready.inventory)
        bundle.remember_storage(settings.lab_name, ready.storage)
        nodes = boot(provider, progress)
        healing.refuse_in_force(nodes)
        told = variables(ready, cache, provider.files)
        if restore and kept:
            told["membership_snapshot"] = str(kept.file)
        recap = play(
            "restore.yml" if restore else "site.yml",
            inventory=inventory,
            nodes=nodes,
            variables=told,
            progress=progress,
            title="Build the cluster and deploy the workloads",
            limit_s=PLAYBOOK_LIMIT_S,
        )
        cluster = Cluster(settings.lab_name, state, nodes)
        cluster.fetch_kubeconfigs()
        await_frames(cluster, progress)
        _keep_snapshot(cluster, state, progress)
    return UpResult(recap=recap, seconds=time.monotonic() - started)


def _look_at_members(
    provider: Provider, inventory: Inventory, kept: Snapshot | None, progress: Progress
) -> Census:
    """Start the nodes that are left, and return what they have of the cluster."""
    nodes = boot(provider, progress) if provider.list_nodes().nodes else ()
    found = membership.census(nodes, inventory.servers, progress)
    # Nodes that were removed all at once are no new lab: `lab down` would have taken all.
    return found if nodes else replace(found, exists=kept is not None)


def _keep_snapshot(cluster: Cluster, state: StateDirectory, progress: Progress) -> None:
    """Keep what a cluster that loses its majority can be made again of."""
    with progress.step("Keep a snapshot of etcd", limit_s=snapshots.LIMIT_S) as step:
        try:
            snapshots.take(cluster.servers, state)
        except LabError as error:
            step.update(f"not this time: {error}")
