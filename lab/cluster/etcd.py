"""The etcd member of a server, as its own metrics tell; k3s and kubeadm serve them alike."""

import re
from dataclasses import dataclass

from lab.nodes.node import Node

METRICS_URL = "http://127.0.0.1:2381/metrics"
_METRIC = re.compile(
    r"^(etcd_server_is_learner|etcd_server_has_leader|etcd_server_is_leader) (\d)", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One server's part in the cluster's database."""

    node: str
    """The server."""
    voting: bool
    """A learner has no vote, and does not help to survive a loss."""
    has_leader: bool
    """Whether it follows a leader, or is it."""
    is_leader: bool
    """Whether it is the leader."""


def member(server: Node) -> Member | None:
    """Return what the etcd member on `server` says, or None where none answers."""
    answer = server.run(["curl", "-sf", "-m", "3", METRICS_URL], timeout_s=15, check=False)
    values = dict(_METRIC.findall(answer.stdout))
    if len(values) != 3:
        return None
    return Member(
        node=server.name,
        voting=values["etcd_server_is_learner"] == "0",
        has_leader=values["etcd_server_has_leader"] == "1",
        is_leader=values["etcd_server_is_leader"] == "1",
    )
