"""What `lab add-node` and `lab remove-node` have in common: the lab as it is, and its inventory."""

from dataclasses import replace
from pathlib import Path

from lab.cluster.lab import Lab, find
from lab.commands import options
from lab.config import settings
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.nodes.mark import PATH, LabMark
from lab.nodes.roster import Roster


def opened(directory: Path, name: str) -> tuple[Lab, Inventory, Roster]:
    """Return the lab called `name`, its inventory as the files have it, and what differs.

    The settings are those that the lab runs with, whatever the files say by now. Raises
    LabError where there is no lab, none of its nodes answers, or the inventory in
    `directory` is not the lab's.
    """
    lab = find(name)
    mark = LabMark.read_any(lab.running_nodes)
    if mark is None:
        raise LabError(
            f"No node of the lab {name!r} says what it was made of.",
            "Run `lab up`, then this again.",
        )
    inventory = replace(
        options.read_inventory(directory, name, None),
        settings=settings.parse(mark.settings, origin=f"{PATH} on the lab's nodes"),
    )
    roster = Roster.read(lab.state)
    if roster.applied(inventory.hosts) != dict(mark.hosts):
        known, said = ", ".join(mark.hosts), ", ".join(roster.applied(inventory.hosts))
        raise LabError(
            f"The lab {name!r} was not made of the inventory {directory}: the lab has {known}; "
            f"with what was added and removed since, that has {said}. Nothing was changed.",
            "Name the lab's inventory with --inventory; where that is it, run `lab up` first.",
        )
    return lab, inventory, roster


def evenness(inventory: Inventory) -> str:
    """Return a line for the user where the number of servers is even; empty where it is odd."""
    count = len(inventory.servers)
    if count % 2:
        return ""
    return (
        f"{count} servers survive no more losses than {count - 1} do: `lab add-node NAME --server` "
        "or `lab remove-node SERVER` makes the number odd again."
    )
