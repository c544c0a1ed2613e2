"""`lab preflight`: what this machine must offer before a lab is made on it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from lab import bundle
from lab.artefacts import Cache
from lab.commands import options
from lab.config.inventory import Inventory
from lab.config.profiles import load
from lab.config.settings import Settings
from lab.console import boundary
from lab.console.errors import LabError, together
from lab.console.progress import Progress
from lab.host import packages, privileges
from lab.host.packages import Programs
from lab.host.requirements import shortages, too_low
from lab.nodes import node
from lab.providers import registry
from lab.providers.provider import NodeSet, NotReadyError, Provider

app = options.verb_app()


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What `lab up` would find."""

    fine: list[str] = field(default_factory=list)
    """A line for each thing that is as it must be, or that `lab up` sees to."""
    problems: list[LabError] = field(default_factory=list)
    """What is in its way, each with its cure."""

    def look(self, check: Callable[[], str]) -> None:
        """Take what `check` returns, or raises, as one more answer."""
        try:
            self.fine.append(check())
        except LabError as error:
            self.note(error)

    def note(self, problem: LabError) -> None:
        """Take a problem once: an engine that refuses answers every question with the same."""
        if str(problem) not in map(str, self.problems):
            self.problems.append(problem)

    def __str__(self) -> str:
        return "\n".join([*self.fine, *(f"lacking: {problem}" for problem in self.problems)])


@app.command(**options.shown("lab preflight", "lab preflight --name second"))
@options.explained()
def preflight(
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.NameOverride = None,
    settings: options.SetOption = None,
) -> None:
    """Tell what `lab up` would find lacking, all of it at once, and change nothing.

    Ends with 1 where something is in its way.
    """
    found = examine(inventory, name, settings or [])
    for line in found.fine:
        print(line)
    if found.problems:
        boundary.tell(together(found.problems, "`lab up` can't do its work here"))
        raise typer.Exit(boundary.FAILED)


def examine(directory: Path, name: str | None, settings: list[str]) -> Examination:
    """Return all that `lab up` would find; nothing is changed.

    An inventory that can't be read hides what only it could tell, and no more.
    """
    found = Examination()
    cache = Cache()
    try:
        inventory = options.read_lab(directory, name, settings)
    except LabError as error:
        found.note(error)
        _examine_machine(found, registry.of(Settings(), cache), cache)
        return found
    chosen = inventory.settings
    provider = registry.of(chosen, cache)
    found.fine.append(f"settings of {inventory.directory}: taken")
    found.look(lambda: f"timers: {load(chosen.lab_profile).name}")
    _examine_machine(found, provider, cache)
    try:
        there = _nodes(provider)
    except LabError as error:
        found.note(error)
        there = None
    else:
        _examine_nodes(found, inventory, provider, cache, there)
    found.look(lambda: _available(inventory, there or NodeSet(), cache))
    found.look(lambda: _storage(inventory, provider))
    found.look(lambda: bundle.pdc(chosen, cache))
    found.look(lambda: bundle.pmu(chosen, cache))
    return found


def check(inventory: Inventory, provider: Provider, cache: Cache, *, existing: int) -> None:
    """Raise LabError that lists all that is in the way of making the lab's nodes.

    `existing` is the number of the lab's nodes that are there already.
    """
    load(inventory.settings.lab_profile)
    problems = [*_obstacles(inventory, provider, cache, existing)]
    for line in (bundle.pdc, bundle.pmu):
        try:
            line(inventory.settings, cache)
        except LabError as error:
            problems.append(error)
    if problems:
        raise together(problems, "`lab up` can't do its work here")


def install_programs(provider: Provider, cache: Cache, progress: Progress) -> None:
    """Install what lacks of the programs that every lab of this provider needs."""
    packages.ensure(_programs(provider, cache), progress)


def _examine_machine(found: Examination, provider: Provider, cache: Cache) -> None:
    """Look at what the machine itself must offer."""
    purposes: list[str] = []

    def programs() -> str:
        machine = provider.requirements(0)
        wanted = packages.missing(_programs(provider, cache))
        purposes.extend([f"install {' '.join(wanted)}"] if wanted else [])
        purposes.extend(machine.root)
        purposes.extend(f"raise {name}" for name in too_low(machine.sysctls))
        if not wanted:
            return "system packages: all there"
        packages.check_installer(wanted)
        return f"system packages: {' '.join(wanted)} would be installed"

    found.look(programs)
    found.look(provider.availability)
    found.look(lambda: privileges.foreseen(purposes))


def _nodes(provider: Provider) -> NodeSet | None:
    """Return what is there of the lab; None where that shows only once `lab up` has begun."""
    try:
        return provider.list_nodes()
    except NotReadyError:
        return None  # `availability` tells


def _examine_nodes(
    found: Examination,
    inventory: Inventory,
    provider: Provider,
    cache: Cache,
    there: NodeSet | None,
) -> None:
    """Look at whether there is room for what is missing of the lab."""
    existing = len(there.nodes) if there else 0
    try:
        problems = [*_obstacles(inventory, provider, cache, existing)]
    except LabError as error:
        found.note(error)
        return
    for problem in problems:
        found.note(problem)
    if not problems:
        missing = max(0, len(inventory.hosts) - existing)
        known = f"{existing} are there, and" if there else "unknown yet what is there;"
        found.fine.append(f"nodes: {known} there is room for {missing} more")


def _available(inventory: Inventory, there: NodeSet, cache: Cache) -> str:
    settings = bundle.released(inventory, there).settings
    choice = bundle.choose_distribution(settings.lab_distribution, cache, settings)
    bundle.check_available(choice.distribution, cache, settings)
    return f"distribution: {choice.distribution}: {choice.reason}"


def _storage(inventory: Inventory, provider: Provider) -> str:
    choice = bundle.choose_storage(inventory, provider)
    return f"storage: {choice.backend}: {choice.reason}"


def _obstacles(
    inventory: Inventory, provider: Provider, cache: Cache, existing: int
) -> Iterator[LabError]:
    """Yield what is in the way of the lab's nodes."""
    missing = len(inventory.hosts) - existing
    lines: Sequence[str] = shortages([provider.requirements(missing), bundle.requirements(cache)])
    if lines:
        yield LabError(
            "This machine can't hold the lab:\n" + "\n".join(f"  {line}" for line in lines),
            "Free what is named, or take fewer workers in the inventory.",
        )
    yield from provider.obstacles(inventory)


def _programs(provider: Provider, cache: Cache) -> Programs:
    return {
        **node.PROGRAMS,
        **bundle.requirements(cache).programs,
        **provider.requirements(0).programs,
    }
