"""`lab add-node`: one more node for a lab that runs."""

from typing import Annotated

import typer

from lab.commands import options
from lab.commands.life.changing import evenness, opened
from lab.commands.life.up import bring_up
from lab.config import inventory as inventories
from lab.console.errors import LabError
from lab.console.progress import Terminal, duration
from lab.nodes.node import Role

app = options.verb_app()


@app.command(**options.shown("lab add-node worker-2", "lab add-node server-4 --server"))
@options.explained(options.GOES_ON)
def add_node(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Its name, such as worker-2.")],
    server: Annotated[
        bool, typer.Option("--server", help="Control plane and etcd too; else it is a worker.")
    ] = False,
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.Name = options.DEFAULT_NAME,
) -> None:
    """Add a node to the running lab.

    The lab keeps it, beside what its inventory says, until `lab remove-node` or `lab down`.
    """
    lab, of_files, roster = opened(inventory, name)
    role: Role = "server" if server else "worker"
    if node in roster.applied(of_files.hosts):
        raise LabError(
            f"The lab {name!r} has a node {node!r} already.",
            "`lab up` makes it again where it is lost; or choose another name.",
        )
    roster = roster.with_added(node, role, of_files.hosts)
    wanted = inventories.changed(of_files, roster)
    inventories.check_names(wanted)
    roster.write(lab.state)
    result = bring_up(wanted, Terminal())
    print(f"\nThe lab {name!r} has a {role} more, {node}, after {duration(result.seconds)}.")
    if advice := evenness(wanted):
        print(advice)
