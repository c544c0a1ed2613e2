"""The interface of a provider: it makes, keeps and removes the machines of one lab.

A provider is constructed with the lab's name, its state directory and the artefact
cache, and does nothing then: each method asks for what it needs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lab.artefacts import Artefact
from lab.artefacts.jobs import Job
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.host.requirements import Requirements
from lab.nodes.node import Node


class ForeignLabError(LabError):
    """A lab of that name is another user's: nothing is done to it unless they are named."""


class NotReadyError(LabError):
    """What makes the nodes does not answer this user yet; `prepare_machine` sees to that."""


@dataclass(frozen=True, kw_only=True)
class NodeSet:
    """The nodes of a lab that exist."""

    nodes: tuple[Node, ...] = ()
    """The nodes, servers first, by name."""
    running: frozenset[str] = frozenset()
    """Names of the nodes that run."""
    distribution: str = ""
    """What the cluster on them is, or will be, made of; empty where there are no nodes."""


@dataclass(frozen=True, kw_only=True)
class NodeFiles:
    """What nodes see of the artefact cache."""

    artefacts_dir: str
    """Directory on every node where the artefacts are, laid out as in the cache."""
    artefacts_mounted: bool
    """Whether it is the control machine's cache itself, read-only. Where it is not, the
    playbooks copy there what they need."""


@dataclass(frozen=True, kw_only=True)
class StorageChoice:
    """What holds the workloads' volumes, and why."""

    backend: str
    """A value of `lab_storage` other than auto."""
    reason: str
    """One line for the user."""


class Provider(Protocol):
    """Makes machines that answer to SSH."""

    files: NodeFiles
    """How files get to the nodes."""

    def requirements(self, nodes: int) -> Requirements:
        """Return what `nodes` more nodes take of this machine. Changes nothing.

        Raises LabError where what makes the nodes can't carry a lab.
        """

    def availability(self) -> str:
        """Return one line for `lab preflight`: whether what makes the nodes answers here.

        Raises LabError where it can't carry a lab.
        """

    def obstacles(self, inventory: Inventory) -> list[LabError]:
        """Return what is in the way of making the hosts of `inventory`. Changes nothing."""

    def storage(self, servers: int) -> StorageChoice:
        """Return what `lab_storage: auto` takes on the nodes, `servers` of which are servers."""

    def prepare_machine(self, progress: Progress) -> None:
        """Install, start and set on this machine what nodes need.

        Raises LabError where that fails.
        """

    def artefacts(self) -> Mapping[str, Callable[[Job], Artefact]]:
        """Return what must be in the cache before nodes are created: title to its maker."""

    def list_nodes(self) -> NodeSet:
        """Return what exists of the lab, in whatever state.

        Raises LabError where that can't be told, NotReadyError as what makes the nodes
        does not answer yet, and ForeignLabError where the lab is another user's.
        """

    def create(self, inventory: Inventory, distribution: str, progress: Progress) -> None:
        """Create what is missing of the inventory's hosts, and let the lab's key in on all.

        The nodes remember what `distribution` they were made for. Raises LabError where
        the lab has nodes that the inventory has not, and ForeignLabError where parts of
        it are another user's.
        """

    def start(self) -> None:
        """Start the nodes that don't run; they may take a while until they answer."""

    def stop(self) -> None:
        """Shut the nodes that run down in order; what they hold is kept."""

    def power_off(self, node: Node) -> None:
        """Cut the power of one node: nothing on it is shut down or written back."""

    def remove(self, name: str) -> list[str]:
        """Remove the node called `name` with all that is its own, and return what was removed.

        It may be repeated, and be called for a node that is gone.
        """

    def journal(self) -> str:
        """Return the last warnings of each node's boot, as evidence where one fails."""

    def destroy(self, owner: str = "") -> list[str]:
        """Remove every trace of the lab's nodes, and return the names of what was removed.

        It may be repeated. Raises LabError where something is left, ForeignLabError,
        before anything is removed, where the lab is not this user's, or not `owner`'s
        where one is named.
        """
