"""Healing: every trace of every fault leaves every node, whoever put it there."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.console.errors import LabError
from lab.faults import timer, traces
from lab.faults.catalogue import FAULTS
from lab.nodes.node import Node

TRACES = tuple(dict.fromkeys([*(t for fault in FAULTS for t in fault.traces), timer.TRACE]))
"""What any fault leaves on a node."""


@dataclass(frozen=True, kw_only=True)
class Healed:
    """What healing found on one node."""

    node: str
    """The node's name."""
    found: tuple[str, ...]
    """What was there and is gone: `iptables`, `ip6tables` (the chain), `timer`."""

    def __str__(self) -> str:
        return f"{self.node}: removed {', '.join(self.found)}"


def remains(node: Node) -> tuple[str, ...]:
    """Return what faults have left on `node`; raises CommandError where it does not answer."""
    return traces.found_on(node, TRACES)


def refuse_in_force(nodes: Sequence[Node]) -> None:
    """Raise LabError where a fault is in force on one of `nodes`, which all answer.

    Whose it is can't be told: a run that measures may be under way.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        found = dict(zip((node.name for node in nodes), pool.map(remains, nodes), strict=True))
    if struck := [f"{name} ({', '.join(left)})" for name, left in found.items() if left]:
        raise LabError(
            f"A fault is in force on {', '.join(struck)}. Nothing was changed.",
            "Wait for the end of the run that put it there, or undo it with `lab heal`.",
        )


def heal(nodes: Sequence[Node]) -> tuple[Healed, ...]:
    """Heal all `nodes` at once, and return those that had something to heal, in their order.

    Raises LabError, after all have been tried, that names those that failed.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        attempts = [(node, pool.submit(traces.remove_from, node, TRACES)) for node in nodes]
    errors = [error for _, attempt in attempts if (error := attempt.exception())]
    if errors:
        raise LabError(
            f"{len(errors)} of {len(nodes)} nodes could not be healed.",
            "Start them with `lab up`, then run `lab heal` again.",
            evidence="\n".join(str(error) for error in errors),
        )
    found = {node.name: attempt.result() for node, attempt in attempts}
    return tuple(Healed(node=name, found=things) for name, things in found.items() if things)
