"""A lab that exists, found by its name."""

from dataclasses import dataclass

from lab.cluster.api import Cluster
from lab.config import settings
from lab.console.errors import LabError
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory
from lab.providers import registry


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A lab that exists."""

    name: str
    """As in `lab_name`."""
    nodes: tuple[Node, ...]
    """Its nodes, servers first."""
    running: frozenset[str]
    """Names of those that run."""
    cluster: Cluster
    """Its Kubernetes API."""
    state: StateDirectory
    """Its files on this machine."""

    @property
    def running_nodes(self) -> tuple[Node, ...]:
        """The nodes that run, servers first."""
        return tuple(node for node in self.nodes if node.name in self.running)

    def node(self, name: str) -> Node:
        """Return the node called `name`; raises LabError that lists them otherwise."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(
            f"The lab {self.name!r} has no node {name!r}.",
            f"Its nodes are: {', '.join(node.name for node in self.nodes)}.",
        )


def find(name: str) -> Lab:
    """Return the lab called `name`, whichever provider made its nodes.

    Raises LabError where there is none, or where none was found and a provider could
    not be asked.
    """
    state = StateDirectory(settings.checked_name(name))
    unanswered = []
    for provider_name in registry.names():
        try:
            found = registry.provider(provider_name, name, state).list_nodes()
        except LabError as error:
            unanswered.append(error)
            continue
        if found.nodes:
            return Lab(
                name=name,
                nodes=found.nodes,
                running=found.running,
                cluster=Cluster(name, state, found.nodes),
                state=state,
            )
    if unanswered:
        raise unanswered[0]
    raise LabError(f"There is no lab {name!r} on this machine.", "Make it with `lab up`.")
