"""The `lab` command."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from lab.config.files import ROOT
from lab.console.errors import LabError
from lab.console.progress import Terminal

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Make a lab of Kubernetes nodes, look at it, break it, and remove it.",
)

Name = Annotated[
    str, typer.Option("--name", envvar="LAB_NAME", help="Name of the lab.", show_default=True)
]
InventoryOption = Annotated[
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
EMBEDDED = ROOT / "inventories" / "embedded"
PASS_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    # Options of the lab come first; from the first word on, all is kubectl's, `--` included.
    "allow_interspersed_args": False,
    "help_option_names": [],
}


@app.command()
def up(
    inventory: InventoryOption = EMBEDDED, name: NameOverride = None, settings: SetOption = None
) -> None:
    """Bring the lab up, or to the state its inventory describes; frames flow at the end."""
    with _explained():
        from lab.commands.up import up as bring_up  # noqa: PLC0415
        from lab.config import inventory as inventories  # noqa: PLC0415
        from lab.console.progress import duration  # noqa: PLC0415

        wanted = inventories.load(inventory, _overrides(name, settings))
        outcome, seconds = bring_up(wanted, Terminal())
        changed = sum(outcome.changed.values())
        called = wanted.settings.lab_name
        option = "" if called == "blackstart" else f" --name {called}"
        pytest_option = "" if called == "blackstart" else f" --lab {called}"
        print(
            f"\nThe lab {called!r} is up after {duration(seconds)} (changed={changed}): "
            "frames flow.\n"
            f"  lab status{option}                 nodes, pods, frame rates\n"
            f"  lab kubectl{option} get pods -A    the cluster\n"
            f"  pytest -m failover{pytest_option}         break it and measure its recovery\n"
            f"  lab down{option}                   remove it"
        )


@app.command()
def down(name: Name = "blackstart") -> None:
    """Remove the lab, whatever state it is in; nothing of it stays."""
    with _explained():
        from lab.commands.down import down as remove  # noqa: PLC0415

        removed = remove(name, Terminal())
        for thing in removed:
            print(f"  removed {thing}")
        if not removed:
            print(f"There was nothing of a lab {name!r}.")


@app.command()
def status(
    name: Name = "blackstart",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show nodes, pods, and each PDC's frames as a consumer outside sees them.

    Ends with 1 where a node or a pod is not ready, or frames do not flow.
    """
    with _explained():
        from lab.cluster.find import find  # noqa: PLC0415
        from lab.commands.status import status as ask  # noqa: PLC0415
        from lab.commands.status_table import show  # noqa: PLC0415

        answer = ask(find(name))
        if as_json:
            print(json.dumps({**asdict(answer), "healthy": answer.healthy}, indent=2))
        else:
            show(answer, Console())
    raise typer.Exit(0 if answer.healthy else 1)


@app.command()
def ssh(
    node: str,
    command: Annotated[list[str] | None, typer.Argument(help="What to run there.")] = None,
    name: Name = "blackstart",
) -> None:
    """Log in to a node, or run a command there."""
    with _explained():
        from lab.cluster.find import find  # noqa: PLC0415

        argv = find(name).node(node).ssh_argv()
        _become([*argv, *(command or [])])


@app.command(context_settings=PASS_ON)
def kubectl(context: typer.Context, name: Name = "blackstart") -> None:
    """Run kubectl against the lab, on the first server whose API is ready."""
    with _explained():
        from lab.cluster.find import find  # noqa: PLC0415
        from lab.cluster.kubectl import ssh_argv  # noqa: PLC0415

        _become(list(ssh_argv(find(name), context.args, terminal=sys.stdin.isatty())))


@app.command()
def logs(
    what: Annotated[str, typer.Argument(help="A node, or a workload such as pdc-higher.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many to show.")] = 100,
    name: Name = "blackstart",
) -> None:
    """Show a node's journal, or what a workload's containers say."""
    with _explained():
        from lab.cluster.find import find  # noqa: PLC0415
        from lab.cluster.kubectl import logs_argv  # noqa: PLC0415

        _become(list(logs_argv(find(name), what, follow=follow, lines=lines)))


@app.command()
def preflight(
    inventory: InventoryOption = EMBEDDED, name: NameOverride = None, settings: SetOption = None
) -> None:
    """Tell what `lab up` would find lacking, and change nothing."""
    with _explained():
        from lab.commands.preflight import report  # noqa: PLC0415
        from lab.config import inventory as inventories  # noqa: PLC0415

        for line in report(inventories.load(inventory, _overrides(name, settings))):
            print(line)


@app.command()
def heal(name: Name = "blackstart") -> None:
    """Undo every fault on the lab's nodes, whoever left it."""
    with _explained():
        from lab.cluster.find import find  # noqa: PLC0415
        from lab.faults.heal import heal as undo  # noqa: PLC0415

        lab = find(name)
        healed = undo([node for node in lab.nodes if node.name in lab.running])
        for line in healed:
            print(f"  {line}")
        if not healed:
            print(f"No fault was in force on the lab {name!r}.")


def main() -> None:
    """Run the command."""
    app()


@contextmanager
def _explained() -> Iterator[None]:
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


def _overrides(name: str | None, settings: list[str] | None) -> dict[str, object]:
    chosen: dict[str, object] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals:
            raise LabError(f"--set {setting} has no value.", "Write it as KEY=VALUE.")
        chosen[key] = yaml.safe_load(value)
    if name:
        chosen["lab_name"] = name
    return chosen


def _become(argv: list[str]) -> None:
    """Replace this process, so that signals and the terminal are the command's own."""
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 - a list, and no shell wanted


if __name__ == "__main__":
    main()
