"""`lab preflight`: what this machine must offer before a lab is made on it."""

from lab import bundle
from lab.artefacts import Cache
from lab.commands import options
from lab.config.inventory import Inventory
from lab.config.profiles import load
from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.host import packages
from lab.host.packages import Programs
from lab.host.requirements import shortages
from lab.nodes import node
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import Provider

app = options.verb_app()


@app.command()
@options.explained()
def preflight(
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.NameOverride = None,
    settings: options.SetOption = None,
) -> None:
    """Tell what `lab up` would find lacking, and change nothing."""
    for line in report(options.read_inventory(inventory, name, settings)):
        print(line)


def check(inventory: Inventory, provider: Provider, cache: Cache, *, existing: int) -> None:
    """Raise LabError that lists every lack of memory and disk, or where the profile is unknown.

    `existing` is the number of the lab's nodes that are there already.
    """
    load(inventory.settings.lab_profile)
    missing = len(inventory.hosts) - existing
    lines = shortages([provider.requirements(missing), bundle.requirements(cache)])
    if lines:
        raise LabError(
            "This machine can't hold the lab:\n" + "\n".join(f"  {line}" for line in lines),
            "Free what is named, or take fewer workers in the inventory.",
        )


def install_programs(provider: Provider, cache: Cache, progress: Progress) -> None:
    """Install what lacks of the programs that every lab of this provider needs."""
    packages.ensure(_programs(provider, cache), progress)


def report(inventory: Inventory) -> list[str]:
    """Return what `lab up` would find lacking, line by line; nothing is changed."""
    settings = inventory.settings
    cache = Cache()
    state = StateDirectory(settings.lab_name)
    provider = registry.provider(settings.lab_provider, settings.lab_name, state, cache)
    lines = [f"settings of {inventory.directory}: taken"]
    wanted = packages.missing(_programs(provider, cache))
    lines.append(
        f"system packages: {' '.join(wanted)} would be installed"
        if wanted
        else "system packages: all there"
    )
    lines.append(provider.availability())
    check(inventory, provider, cache, existing=0)
    lines.append("memory and disk: enough")
    choice = bundle.choose_distribution(settings.lab_distribution, cache, settings)
    lines.append(f"distribution: {choice.distribution}: {choice.reason}")
    return lines


def _programs(provider: Provider, cache: Cache) -> Programs:
    return {
        **node.PROGRAMS,
        **bundle.requirements(cache).programs,
        **provider.requirements(0).programs,
    }
