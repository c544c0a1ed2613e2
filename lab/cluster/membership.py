"""Which servers hold the cluster: asked before anything is changed where some of them are gone."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

from lab.cluster.snapshots import Snapshot
from lab.config.files import PLAYBOOKS
from lab.console.errors import LabError
from lab.console.progress import Progress, wait
from lab.nodes.node import Node

LOOK = PLAYBOOKS / "roles/membership/files/look.sh"
"""Says what a node has of a cluster; the role `membership` uses it too."""
QUORUM_LIMIT_S = 30
"""How long members may take, once their nodes run, until etcd has a quorum."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What one node has of a cluster."""

    node: Node
    """The node."""
    joined: bool
    """Whether it has had its place in one."""
    data: bool
    """Whether it still has what makes it that node."""
    quorum: bool
    """Whether its etcd answers reads to which a majority of the members has to agree."""

    @classmethod
    def of(cls, node: Node) -> Self:
        """Ask `node`; raises CommandError where it does not answer."""
        argv = ["sh", "-s", "--", node.role]
        said = json.loads(node.run(argv, stdin=LOOK.read_text(), timeout_s=20).stdout)
        return cls(node=node, joined=said["joined"], data=said["data"], quorum=said["quorum"])

    @property
    def is_member(self) -> bool:
        """Whether it holds a part of the cluster's etcd."""
        return self.node.role == "server" and self.joined and self.data


@dataclass(frozen=True, kw_only=True)
class Census:
    """What the nodes of a lab have of its cluster."""

    exists: bool
    """Whether any node has had its place in a cluster."""
    members: tuple[str, ...]
    """Servers that hold a part of etcd."""
    majority: bool
    """Whether these are enough to go on: more than half of the servers that the lab is
    meant to have, or all of an etcd that has fewer."""

    def require_majority(self, name: str, kept: Snapshot | None) -> None:
        """Raise LabError where the lab called `name` has a cluster that can't go on."""
        if self.majority or not self.exists:
            return
        source = f"{self.members[0]}'s own data" if self.members else kept
        restoring = f"`lab restore` makes the cluster again from {source}. " if source else ""
        raise LabError(
            f"The lab {name!r} has lost the majority of its servers for good; a part of etcd is "
            f"left on: {', '.join(self.members) or 'none'}. Nothing was changed.",
            f"{restoring}To begin with a new one, run `lab down`, then `lab up`.",
        )

    def require_loss(self, name: str, kept: Snapshot | None) -> None:
        """Raise LabError where there is nothing to restore, or nothing to restore it from."""
        if self.majority:
            raise LabError(
                f"The cluster of the lab {name!r} has its majority: there is nothing to restore.",
                "Run `lab up`, which replaces nodes that are lost.",
            )
        if not self.members and not kept:
            raise LabError(
                f"No server of the lab {name!r} has data of a cluster, and no snapshot is kept.",
                "Run `lab down`, then `lab up`, for a new one.",
            )


def census(nodes: Sequence[Node], servers: Collection[str], progress: Progress) -> Census:
    """Ask `nodes`, which run and answer; `servers` are those that the lab is meant to have.

    Raises CommandError where a node does not answer.
    """
    standings = [Standing.of(node) for node in nodes]
    members = [standing.node for standing in standings if standing.is_member]
    majority = 2 * len(members) > len(servers)
    return Census(
        exists=any(standing.joined for standing in standings),
        members=tuple(node.name for node in members),
        majority=majority or (members != [] and _have_a_quorum(members, progress)),
    )


def _have_a_quorum(members: Sequence[Node], progress: Progress) -> bool:
    title = "See whether the servers that are left have a majority"
    try:
        with progress.step(title, limit_s=QUORUM_LIMIT_S) as step:
            wait(
                "a quorum of etcd",
                lambda: None if any(Standing.of(node).quorum for node in members) else "no quorum",
                limit_s=QUORUM_LIMIT_S,
                step=step,
                interval_s=2,
            )
    except LabError:
        return False
    return True
