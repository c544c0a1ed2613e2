"""What faults leave on a node: the shell that finds it, and the shell that removes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.console.errors import LabError
from lab.host.command import CommandError
from lab.nodes.node import Node

ATTEMPTS = 2
"""How often a node is tried: the first SSH connection after a fault may be lost."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One kind of thing that a fault leaves on a node until it is healed."""

    find: str
    """Shell commands that print one word for each such thing, and change nothing."""
    remove: str
    """Shell commands that remove them silently; harmless where there is none."""


def finding(traces: Sequence[Trace]) -> str:
    """Return the script that prints one word for each thing that is there."""
    return "".join(trace.find for trace in traces) + "exit 0\n"


def removing(traces: Sequence[Trace]) -> str:
    """Return the script that removes all of `traces` and prints what it found.

    It may be repeated, and exits with 1 where anything is still there.
    """
    find = "".join(trace.find for trace in traces)
    remove = "".join(trace.remove for trace in traces)
    return f'find() {{\n{find}}}\nfind\n{remove}test -z "$(find)"\n'


def found_on(node: Node, traces: Sequence[Trace]) -> tuple[str, ...]:
    """Return what of `traces` is on `node`; raises CommandError where it does not answer."""
    return tuple(node.run(["sh", "-c", finding(traces)], timeout_s=20).stdout.split())


def remove_from(node: Node, traces: Sequence[Trace]) -> tuple[str, ...]:
    """Remove `traces` from `node`, and return what was there.

    Raises LabError where the node does not answer or something stays.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            script = ["sh", "-c", removing(traces)]
            return tuple(node.run(script, timeout_s=20).stdout.split())
        except CommandError as error:
            if attempt == ATTEMPTS:
                raise LabError(
                    f"{node.name} ({node.address}) could not be healed.",
                    f"Its own timer will do so, if a fault is in force; look with "
                    f"`lab ssh {node.name} systemctl list-timers`.",
                    evidence=str(error),
                ) from error
    raise AssertionError("unreachable")
