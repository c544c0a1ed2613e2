"""Healing: every trace of a fault leaves every node, whoever put it there."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.console.errors import LabError
from lab.faults import chain
from lab.host.command import CommandError
from lab.nodes.node import Node

ATTEMPTS = 2
"""How often a node is tried: the first SSH connection after a fault may be lost."""


@dataclass(frozen=True, kw_only=True)
class Healed:
    """What healing found on one node."""

    node: str
    """The node's name."""
    found: tuple[str, ...]
    """What was there and is gone: `iptables`, `ip6tables` (the chain), `timer`."""

    def __str__(self) -> str:
        return f"{self.node}: removed {', '.join(self.found)}"


def heal_node(node: Node) -> tuple[str, ...]:
    """Remove the fault chain and its timer from `node`, and return what was there.

    Raises LabError where the node does not answer or the chain stays.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return tuple(node.run(["sh", "-c", chain.HEAL], timeout_s=20).stdout.split())
        except CommandError as error:
            if attempt == ATTEMPTS:
                raise LabError(
                    f"{node.name} ({node.address}) could not be healed.",
                    f"Its own timer will do so, if a fault is in force; look with "
                    f"`lab ssh {node.name} systemctl list-timers {chain.TIMER}.timer`.",
                    evidence=str(error),
                ) from error
    raise AssertionError("unreachable")


def heal(nodes: Sequence[Node]) -> tuple[Healed, ...]:
    """Heal all `nodes` at once, and return those that had something to heal, in their order.

    Raises LabError, after all have been tried, that names those that failed.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        attempts = [(node, pool.submit(heal_node, node)) for node in nodes]
    errors = [error for _, attempt in attempts if (error := attempt.exception())]
    if errors:
        raise LabError(
            f"{len(errors)} of {len(nodes)} nodes could not be healed.",
            "Start them with `lab up`, then run `lab heal` again.",
            evidence="\n".join(str(error) for error in errors),
        )
    found = {node.name: attempt.result() for node, attempt in attempts}
    return tuple(Healed(node=name, found=things) for name, things in found.items() if things)
