"""What the verbs have in common: options, their meaning, and what errors look like."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from lab.config import inventory as inventories
from lab.config import yaml_file
from lab.config.files import INVENTORIES
from lab.config.inventory import Inventory
from lab.config.settings import PREFIX
from lab.console import boundary
from lab.console.errors import LabError
from lab.host import environment
from lab.nodes.roster import Roster
from lab.nodes.state import StateDirectory
from lab.providers import registry

MISUSED = 2
"""Exit code for a command line that can't be meant."""
DEFAULT_NAME = "blackstart"
EMBEDDED = INVENTORIES / "embedded"

Name = Annotated[
    str,
    typer.Option(
        "--name", metavar="NAME", envvar="LAB_NAME", help="Name of the lab.", show_default=True
    ),
]
InventoryDirectory = Annotated[
    Path,
    typer.Option(
        "--inventory",
        "-i",
        metavar="DIRECTORY",
        envvar="LAB_INVENTORY",
        help="Directory of the inventory.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the inventory; may be repeated."),
]
NameOverride = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", envvar="LAB_NAME", help="Shorthand of --set lab_name=."),
]
OTHERS_WORDS = {"allow_extra_args": True, "allow_interspersed_args": False}
"""Context settings of a verb that hands the rest of its line on to another program: from the
first word that is no option on, all is the program's."""
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


def verb_app() -> typer.Typer:
    """Return the application of one verb."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def shown(*examples: str, **settings: Any) -> dict[str, Any]:
    """Return how a verb is declared: with the examples of its help, and context settings."""
    lines = "".join(f"\n  {example}" for example in examples)
    return {
        "epilog": f"\b\nExamples:{lines}",
        "context_settings": {**HELP_NAMES, **settings},
    }


def at_terminal() -> bool:
    """Tell whether a program that is started now talks to a person, in and out."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def misused(message: str) -> NoReturn:
    """Say how the command line is wrong, and end as the parser does."""
    print(f"Error: {message}", file=sys.stderr)
    raise typer.Exit(MISUSED)


GOES_ON = "Stopped. `lab up` goes on from here; `lab down` removes what was made."
"""What a command says that is stopped while it changes a lab."""
NOTHING_CHANGED = "Stopped. Nothing was changed."
"""What one says that only looks."""


@contextmanager
def explained(stopped: str = NOTHING_CHANGED) -> Iterator[None]:
    """Turn every error into a sentence, and Ctrl-C into what it means for the lab."""
    try:
        yield
        sys.stdout.flush()
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except KeyboardInterrupt:
        print(f"\n{stopped}", file=sys.stderr)
        raise typer.Exit(boundary.INTERRUPTED) from None
    except Exception as error:
        if isinstance(error, BrokenPipeError) and boundary.pipe_closed():
            raise typer.Exit(boundary.PIPE_CLOSED) from None
        raise typer.Exit(boundary.tell(error)) from None


def read_inventory(directory: Path, name: str | None, settings: list[str] | None) -> Inventory:
    """Return the inventory in `directory`, with what --name and --set say in its place."""
    chosen: dict[str, object] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals:
            raise LabError(f"--set {setting} has no value.", "Write it as KEY=VALUE.")
        if not key.startswith(PREFIX):
            raise LabError(
                f"--set {setting}: {key!r} is no setting of the kit; they begin with {PREFIX}.",
                "inventories/embedded/group_vars/all.yml lists every setting with its values.",
            )
        chosen[key] = yaml_file.parse(value, origin=f"--set {setting}")
    if name:
        chosen["lab_name"] = name
    return inventories.load(directory, chosen, providers=registry.names())


def read_lab(directory: Path, name: str | None, settings: list[str] | None) -> Inventory:
    """Return the inventory, with the nodes that were added to the lab or removed from it."""
    inventory = read_inventory(directory, name, settings)
    state = StateDirectory(inventory.settings.lab_name)
    return inventories.changed(inventory, Roster.read(state))


def become(argv: list[str]) -> None:
    """Replace this process, so that signals and the terminal are the command's own."""
    sys.stdout.flush()
    # Python ignores SIGPIPE; the command ends by it where its reader has gone.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, environment.composed())  # noqa: S606 - a list, and no shell wanted
    except FileNotFoundError:
        raise LabError(
            f"This machine has no program {argv[0]}.", "Run `lab up`, which installs it."
        ) from None
