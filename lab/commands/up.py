"""`lab up`: from nothing, or from whatever is there, to frames that flow."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab import bundle
from lab.artefacts import Cache
from lab.bundle import Bundle, DistributionChoice
from lab.cluster.admin import workload_evidence
from lab.cluster.api import Cluster
from lab.cluster.frames import frame_rates, not_flowing
from lab.commands import options, preflight
from lab.config import profiles
from lab.config.files import SUITE
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal, duration, wait
from lab.host import privileges
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import NodeFiles, Provider
from lab.provisioning.playbook import PlayRecap, play

BOOT_LIMIT_S = 60
PLAYBOOK_LIMIT_S = 900
FRAMES_LIMIT_S = 180

app = options.verb_app()


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """A lab that was brought up."""

    recap: PlayRecap
    """What the playbook did."""
    seconds: float
    """How long all of it took."""


@app.command()
@options.explained()
def up(
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.NameOverride = None,
    settings: options.SetOption = None,
) -> None:
    """Bring the lab up, or to the state its inventory describes; frames flow at the end."""
    wanted = options.read_inventory(inventory, name, settings)
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


def bring_up(inventory: Inventory, progress: Progress) -> UpResult:
    """Bring the lab of `inventory` to the state that it describes.

    What is there already stays as it is: on a lab that runs, no task changes anything.
    """
    started = time.monotonic()
    settings = inventory.settings
    state = StateDirectory(settings.lab_name)
    cache = Cache()
    provider = registry.provider(settings.lab_provider, settings.lab_name, state, cache)
    with state.lock():
        privileges.authorise()
        preflight.install_programs(provider, cache, progress)
        provider.prepare_machine(progress)
        there = provider.list_nodes()
        preflight.check(inventory, provider, cache, existing=len(there.nodes))

        choice = _distribution(inventory, there.distribution, cache)
        progress.note(f"  Distribution: {choice.distribution}: {choice.reason}")
        files = bundle.prepare(
            choice.distribution, settings, cache, progress, also=provider.artefacts()
        )
        provider.create(inventory, choice.distribution, progress)
        nodes = _boot(provider, progress)
        recap = play(
            "site.yml",
            inventory=inventory.directory,
            nodes=nodes,
            variables=_variables(inventory, choice, files, cache, provider.files),
            progress=progress,
            title="Build the cluster and deploy the workloads",
            limit_s=PLAYBOOK_LIMIT_S,
        )
        cluster = Cluster(settings.lab_name, state, nodes)
        cluster.fetch_kubeconfigs()
        _await_frames(cluster, progress)
    return UpResult(recap=recap, seconds=time.monotonic() - started)


def _distribution(inventory: Inventory, there: str, cache: Cache) -> DistributionChoice:
    """Stay with the distribution of a lab that exists; choose one for a new lab."""
    wanted = inventory.settings.lab_distribution
    if not there:
        return bundle.choose_distribution(wanted, cache, inventory.settings)
    if wanted not in ("auto", there):
        raise LabError(
            f"The lab {inventory.settings.lab_name!r} runs {there}; {wanted} is asked for.",
            "Run `lab down` first, or give the other lab another name with --name.",
        )
    return DistributionChoice(distribution=there, reason="the lab runs it already")


def _boot(provider: Provider, progress: Progress) -> tuple[Node, ...]:
    """Start the nodes, and return them when all answer."""
    nodes = provider.list_nodes().nodes
    with progress.step(f"Boot {len(nodes)} nodes", limit_s=BOOT_LIMIT_S) as step:
        provider.start()
        wait(
            "SSH on every node",
            lambda: _not_booted(nodes),
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


def _variables(
    inventory: Inventory,
    choice: DistributionChoice,
    files: Bundle,
    cache: Cache,
    on_nodes: NodeFiles,
) -> dict[str, Any]:
    """Return what the playbooks are told beside the inventory."""
    return {
        **inventory.settings.model_dump(),
        "lab_settings": inventory.settings.model_dump(),
        "lab_distribution": choice.distribution,
        "lab_profile_timers": profiles.load(inventory.settings.lab_profile).timers,
        "lab_artefacts_cache": str(cache.root),
        "lab_artefacts_dir": on_nodes.artefacts_dir,
        "lab_artefacts_mounted": on_nodes.artefacts_mounted,
        "lab_artefacts": dict(files.files),
        "lab_image_archives": list(files.image_archives),
        "lab_images": dict(files.images),
        "lab_versions": dict(files.versions),
        "lab_storage_kind": on_nodes.storage,
    }


def _await_frames(cluster: Cluster, progress: Progress) -> None:
    title = "Wait for frames at a consumer outside the cluster"
    with progress.step(title, limit_s=FRAMES_LIMIT_S) as step:
        wait(
            "frames at a consumer outside the cluster",
            lambda: not_flowing(frame_rates(cluster.nodes)),
            limit_s=FRAMES_LIMIT_S,
            step=step,
            evidence=lambda: workload_evidence(cluster.servers),
            cure="`lab kubectl -n grid logs POD` shows what a pod says.",
        )
