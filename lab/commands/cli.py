"""The `lab` command: the list of its verbs. A verb's own file is imported when it is called."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated

import typer

from lab.console import boundary
from service import __version__

VERBS = {
    "up": "Bring the lab up, or to the state its inventory describes; frames flow at the end.",
    "down": "Remove the lab, whatever state it is in; nothing of it stays.",
    "stop": "Shut all nodes of the lab down in order; what they hold is kept.",
    "start": "Start the nodes of a lab that are off, and wait until frames flow.",
    "add-node": "Add a node to the running lab.",
    "remove-node": "Drain a node, take it out of the cluster, and remove it.",
    "status": "Show nodes, pods, and each PDC's frames as a consumer outside sees them.",
    "ssh": "Log in to a node, or run a command there.",
    "kubectl": "Run kubectl against the lab, on the first server whose API is ready.",
    "kubeconfig": "Print the path of a kubeconfig for the first server whose API is ready.",
    "logs": "Show a node's journal, or what a workload's containers print.",
    "restore": "Make a cluster again that has lost the majority of its servers for good.",
    "heal": "Undo every fault on the lab's nodes, whoever left it.",
    "profile": "Show timers, and when a cluster under them reacts to each fault.",
    "preflight": "Tell what `lab up` would find lacking, all of it at once, and change nothing.",
    "doctor": "Say what is wrong with machine and lab, and pack the evidence, without secrets.",
}
"""Verb, which names its file and function too, and the first line of its help."""
ROOMS = {
    "life": ("up", "down", "stop", "start", "restore", "heal", "add-node", "remove-node"),
    "look": ("status", "logs", "profile", "preflight", "doctor"),
    "reach": ("ssh", "kubectl", "kubeconfig"),
}
"""Where the verbs' files stand."""
MODULES = {
    verb: f"{__package__}.{room}.{verb.replace('-', '_')}"
    for room, verbs in ROOMS.items()
    for verb in verbs
}
"""Verb to its module."""
UNPARSED = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
HELP_NAMES = {"help_option_names": ["-h", "--help"]}
EXAMPLES = """\b
Examples:
  lab up                     bring the lab up
  lab status --name second   look at a lab that is not called blackstart
  lab help logs              tell more of a verb
"""

app = typer.Typer(
    no_args_is_help=True,
    # Plain help needs no library, which would be most of its time.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
    epilog=EXAMPLES,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lab {__version__}")
        raise typer.Exit


@app.callback()
def lab(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="As after the verb.")
    ] = None,
    inventory: Annotated[
        str | None,
        typer.Option("--inventory", "-i", metavar="DIRECTORY", help="As after the verb."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As after the verb.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Make a lab of Kubernetes nodes, look at it, break it, and remove it."""
    del version  # its callback has printed it
    given = [
        ("--name", name),
        ("--inventory", inventory),
        *(("--set", one) for one in settings or ()),
    ]
    context.obj = [f"{option}={value}" for option, value in given if value is not None]


def main() -> None:
    """Run the command."""
    try:
        app()
    finally:
        if boundary.pipe_closed():
            sys.exit(boundary.PIPE_CLOSED)


def _call(verb: str, words: list[str]) -> None:
    """Import a verb and run it; its own parser takes the words."""
    try:
        module = import_module(MODULES[verb])
    except KeyboardInterrupt:
        raise typer.Exit(boundary.INTERRUPTED) from None
    module.app(args=words, prog_name=f"lab {verb}")


def _called(verb: str) -> Callable[[typer.Context], None]:
    def call(context: typer.Context) -> None:
        _call(verb, [*(context.obj or ()), *context.args])

    return call


for _verb, _help in VERBS.items():
    app.command(_verb, help=_help, short_help=_help, context_settings=UNPARSED)(_called(_verb))


@app.command("help", context_settings=HELP_NAMES)
def show_help(
    verb: Annotated[str | None, typer.Argument(metavar="VERB", help="A verb, such as up.")] = None,
) -> None:
    """Show what a verb does, with its options and an example."""
    if verb is None or verb == "help":
        app(args=["--help"], prog_name="lab")
    elif verb in VERBS:
        _call(verb, ["--help"])
    else:
        app(args=[verb], prog_name="lab")  # which names the near verbs


if __name__ == "__main__":
    main()
