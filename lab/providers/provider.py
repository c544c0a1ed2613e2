"""What a provider of nodes can do: create, start, list and destroy them; nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lab.nodes.node import Node, Role


@dataclass(frozen=True, kw_only=True)
class Found:
    """What exists of a lab."""

    nodes: tuple[Node, ...]
    """Its nodes, servers first, by name."""
    running: frozenset[str]
    """Names of the nodes that run."""
    distribution: str
    """What the cluster on them is, or will be, made of; empty where there are no nodes."""


class Provider(Protocol):
    """Makes machines that answer to SSH."""

    def find(self) -> Found:
        """Return what exists of the lab, in whatever state."""

    def create(self, hosts: Mapping[str, Role], distribution: str) -> tuple[Node, ...]:
        """Create and start what is missing of `hosts`, and return all nodes.

        They remember what `distribution` they were made for.
        """

    def destroy(self) -> list[str]:
        """Remove every trace of the lab's nodes, and return the names of what was removed."""
