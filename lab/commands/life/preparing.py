"""What a machine has before `lab up` makes nodes: programs, engine, binaries and images."""

from dataclasses import dataclass
from typing import Any

from lab import bundle
from lab.artefacts import Cache
from lab.bundle import Bundle, DistributionChoice
from lab.commands.look import preflight
from lab.config import profiles
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.providers.provider import NodeFiles, Provider, StorageChoice

PLAYBOOK_LIMIT_S = 1800
"""A cluster that goes to another release takes some minutes a node; each wait has its own limit."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A machine that is ready for a lab's nodes."""

    inventory: Inventory
    """What the lab will be: a channel of k3s is the release that it stands for."""
    choice: DistributionChoice
    """The distribution, and why it is this one."""
    bundle: Bundle
    """The binaries and images, complete in the cache."""
    existing: frozenset[str]
    """The nodes that are there already."""
    storage: StorageChoice
    """The backend of the workloads' volumes, and why it is this one."""


def prepare(inventory: Inventory, provider: Provider, cache: Cache, progress: Progress) -> Prepared:
    """Install, start, build and download what the lab of `inventory` needs of this machine.

    On a new machine that takes minutes, later milliseconds. Raises LabError where the
    machine can't hold the lab, and when something can't be had.
    """
    preflight.install_programs(provider, cache, progress)
    provider.prepare_machine(progress)
    there = provider.list_nodes()
    inventory = bundle.released(inventory, there)
    preflight.check(inventory, provider, cache, existing=len(there.nodes))
    choice = _distribution(inventory, there.distribution, cache)
    progress.note(f"  Distribution: {choice.distribution}: {choice.reason}")
    storage = bundle.choose_storage(inventory, provider)
    progress.note(f"  Storage: {storage.backend}: {storage.reason}")
    bundle.refuse_leap(inventory, choice.distribution, there)
    files = bundle.prepare(
        choice.distribution,
        inventory.settings,
        cache,
        progress,
        storage=storage.backend,
        also=provider.artefacts(),
    )
    return Prepared(
        inventory=inventory,
        choice=choice,
        bundle=files,
        existing=frozenset(node.name for node in there.nodes),
        storage=storage,
    )


def variables(ready: Prepared, cache: Cache, on_nodes: NodeFiles) -> dict[str, Any]:
    """Return what the playbooks are told beside the inventory."""
    inventory = ready.inventory
    return {
        **inventory.settings.model_dump(),
        "lab_settings": inventory.settings.model_dump(),
        "lab_distribution": ready.choice.distribution,
        "lab_profile_timers": profiles.load(inventory.settings.lab_profile).timers,
        "lab_artefacts_cache": str(cache.root),
        "lab_artefacts_dir": on_nodes.artefacts_dir,
        "lab_artefacts_mounted": on_nodes.artefacts_mounted,
        "lab_artefacts": dict(ready.bundle.files),
        "lab_image_archives": list(ready.bundle.image_archives),
        "lab_images": dict(ready.bundle.images),
        "lab_versions": {**ready.bundle.versions, "storage": ready.storage.backend},
        "lab_storage_kind": ready.storage.backend,
        # While servers are added and removed, there is an even number of them for a time.
        "node_servers_even": len(inventory.servers) % 2 == 0,
    }


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
