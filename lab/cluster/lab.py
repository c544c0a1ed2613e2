"""A lab that exists, found by its name."""

from dataclasses import dataclass

from lab.cluster.api import Cluster
from lab.config import settings
from lab.console.errors import LabError
from lab.console.suggestions import meant
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory, known_labs
from lab.providers import registry
from lab.providers.provider import Provider


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A lab that exists."""

    name: str
    """As in `lab_name`."""
    nodes: tuple[Node, ...]
    """Its nodes, servers first."""
    running: frozenset[str]
    """Names of those that run."""
    provider: Provider
    """What made them."""
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
        names = [node.name for node in self.nodes]
        raise LabError(
            f"The lab {self.name!r} has no node {name!r}.",
            f"{meant(name, names)} Its nodes are: {', '.join(names)}.".strip(),
        )

    def running_node(self, name: str) -> Node:
        """Return the node called `name`; raises LabError where it is not there, or is off."""
        node = self.node(name)
        if name not in self.running:
            raise LabError(f"{name} does not run.", "Start it with `lab up`.")
        return node


def find(name: str) -> Lab:
    """Return the lab called `name`, whichever provider made its nodes.

    Raises LabError where there is none, where none was found and a provider could not be
    asked, or where a file is missing without which its nodes can't be reached.
    """
    state = StateDirectory(settings.checked_name(name))
    unanswered = []
    for provider_name in registry.names():
        try:
            provider = registry.provider(provider_name, name, state)
            found = provider.list_nodes()
        except LabError as error:
            unanswered.append(error)
            continue
        if found.nodes:
            for ssh in {node.ssh for node in found.nodes}:
                ssh.check()
            return Lab(
                name=name,
                nodes=found.nodes,
                running=found.running,
                provider=provider,
                cluster=Cluster(name, state, found.nodes),
                state=state,
            )
    known = known_labs()
    if unanswered and name in known:
        raise unanswered[0]
    others = [lab for lab in known if lab != name]
    labs = f"Labs of this user: {', '.join(others)}" if others else ""
    if unanswered:  # A typing error is told beside what hides the answer.
        silent = unanswered[0]
        raise LabError(
            silent.message,
            f"{meant(name, others)} {silent.cure}".strip(),
            evidence="\n".join(line for line in (labs, silent.evidence) if line),
        )
    raise LabError(
        f"There is no lab {name!r} on this machine.",
        f"{meant(name, others)} Make it with `lab up`.".strip(),
        evidence=labs,
    )
