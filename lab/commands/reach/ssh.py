"""`lab ssh`: a shell or a command on a node."""

import shlex
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lab.cluster.lab import find
from lab.commands import options

app = options.verb_app()


class NodeFirst(TyperCommand):
    """Takes the kit's options also directly after the node, as ssh takes its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move them before the node; the first word that is none begins the command."""
        node = _leading(args)
        behind = node + 1 + _leading(args[node + 1 :])
        words = [*args[:node], *args[node + 1 : behind], *args[node : node + 1], *args[behind:]]
        return list(super().parse_args(ctx, words))


EXAMPLES = (
    "lab ssh worker-1",
    "lab ssh worker-1 journalctl -u kubelet -n 20",
    "lab ssh --name second server-1 'ip route | head -3'",
    "lab ssh worker-1 tee /tmp/notes <notes",
)


@app.command(cls=NodeFirst, **options.shown(*EXAMPLES, **options.OTHERS_WORDS))
@options.explained("Stopped.")
def ssh(
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="The node's name.")],
    name: options.Name = options.DEFAULT_NAME,
) -> None:
    """Log in to a node, or run a command there.

    Everything after the node is the command. A single word is a line for the node's
    shell, as with ssh; several words reach the program as they are. Standard input,
    output and the exit code are the command's own.
    """
    command = remote_command(context.args)
    # A program such as top needs a terminal, and Ctrl-C must reach it; a pipe needs none.
    terminal = ["-t"] if command and options.at_terminal() else []
    options.become([*find(name).running_node(node).ssh_argv(*terminal), *command])


def remote_command(words: list[str]) -> list[str]:
    """Return what ssh is given to run `words`: nothing for a login, else one line."""
    command = words[1:] if words[:1] == ["--"] else words
    if len(command) > 1:
        return [shlex.join(command)]
    return command


def _leading(words: list[str]) -> int:
    """Return how many words at the beginning are options and their values."""
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] != "--":
        place += 2 if words[place] == "--name" else 1
    return min(place, len(words))
