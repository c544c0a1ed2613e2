"""Finding a lab that exists, by its name."""

from dataclasses import dataclass

from lab.cluster.api import Cluster
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.nodes.node import Node
from lab.nodes.state import State
from lab.providers.container import engine
from lab.providers.container.provider import ContainerProvider


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
    state: State
    """Its files on this machine."""

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
    """Return the lab called `name`; raises LabError where there is none."""
    state = State(name)
    found = ContainerProvider(engine.connect(), Settings(lab_name=name), state).find()
    if not found.nodes:
        raise LabError(f"There is no lab {name!r} on this machine.", "Make it with `lab up`.")
    return Lab(
        name=name,
        nodes=found.nodes,
        running=found.running,
        cluster=Cluster(state, found.nodes),
        state=state,
    )
