"""The `lab` command: the list of its verbs. A verb's own file is imported when it is called."""

from collections.abc import Callable
from importlib import import_module
from typing import Annotated

import typer

from lab import __version__

VERBS = {
    "up": "Bring the lab up, or to the state its inventory describes; frames flow at the end.",
    "down": "Remove the lab, whatever state it is in; nothing of it stays.",
    "status": "Show nodes, pods, and each PDC's frames as a consumer outside sees them.",
    "ssh": "Log in to a node, or run a command there.",
    "kubectl": "Run kubectl against the lab, on the first server whose API is ready.",
    "kubeconfig": "Print the path of a kubeconfig for the first server whose API is ready.",
    "logs": "Show a node's journal, or what a workload's containers print.",
    "heal": "Undo every fault on the lab's nodes, whoever left it.",
    "preflight": "Tell what `lab up` would find lacking, and change nothing.",
}
"""Verb, which is also the name of its file and function, and the first line of its help."""
UNPARSED = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lab {__version__}")
        raise typer.Exit


@app.callback()
def lab(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Make a lab of Kubernetes nodes, look at it, break it, and remove it."""
    del version  # its callback has printed it


def main() -> None:
    """Run the command."""
    app()


def _called(verb: str) -> Callable[[typer.Context], None]:
    def call(context: typer.Context) -> None:
        module = import_module(f"lab.commands.{verb}")
        module.app(args=context.args, prog_name=f"lab {verb}")

    return call


for _verb, _help in VERBS.items():
    app.command(_verb, help=_help, context_settings=UNPARSED)(_called(_verb))


if __name__ == "__main__":
    main()
