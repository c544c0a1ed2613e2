"""What the verbs have in common: options, their meaning, and what errors look like."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import yaml

from lab.config import inventory as inventories
from lab.config.files import INVENTORIES
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.providers import registry

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
DEFAULT_NAME = "blackstart"
EMBEDDED = INVENTORIES / "embedded"

Name = Annotated[
    str, typer.Option("--name", envvar="LAB_NAME", help="Name of the lab.", show_default=True)
]
InventoryDirectory = Annotated[
    Path,
    typer.Option("--inventory", "-i", envvar="LAB_INVENTORY", help="Directory of the inventory."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE for a setting of the inventory; may be repeated."),
]
NameOverride = Annotated[
    str | None, typer.Option("--name", envvar="LAB_NAME", help="Shorthand of --set lab_name=.")
]
REST = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    # Options of the verb come first; from the first word on, all is the other program's.
    "allow_interspersed_args": False,
}
"""Context settings of a verb that hands the rest of its line on."""


def verb_app() -> typer.Typer:
    """Return the application of one verb."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors that a user can act on into sentences, and Ctrl-C into a way on."""
    try:
        yield
    except LabError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print(
            "\nStopped. `lab up` goes on from here; `lab down` removes what was made.",
            file=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED) from None


def read_inventory(directory: Path, name: str | None, settings: list[str] | None) -> Inventory:
    """Return the inventory in `directory`, with what --name and --set say in its place."""
    chosen: dict[str, object] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals:
            raise LabError(f"--set {setting} has no value.", "Write it as KEY=VALUE.")
        chosen[key] = yaml.safe_load(value)
    if name:
        chosen["lab_name"] = name
    return inventories.load(directory, chosen, providers=registry.names())


def become(argv: list[str]) -> None:
    """Replace this process, so that signals and the terminal are the command's own."""
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 - a list, and no shell wanted
