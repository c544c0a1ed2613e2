"""`lab ssh`: a shell or a command on a node."""

import shlex
from typing import Annotated

import typer

from lab.cluster.lab import find
from lab.commands import options

app = options.verb_app()


@app.command(context_settings=options.REST)
@options.explained()
def ssh(
    context: typer.Context,
    node: Annotated[str, typer.Argument(help="The node's name.")],
    name: options.Name = options.DEFAULT_NAME,
) -> None:
    """Log in to a node, or run a command there.

    Everything after the node is the command. A single word is a line for the node's
    shell, as with ssh; several words reach the program as they are.
    """
    options.become([*find(name).node(node).ssh_argv(), *remote_command(context.args)])


def remote_command(words: list[str]) -> list[str]:
    """Return what ssh is given to run `words`: nothing for a login, else one line."""
    command = words[1:] if words[:1] == ["--"] else words
    if len(command) > 1:
        return [shlex.join(command)]
    return command
