"""The mark of a node: /etc/blackstart/lab.json, which says what lab it belongs to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from lab.nodes.node import Node, Role

PATH = "/etc/blackstart/lab.json"


@dataclass(frozen=True, kw_only=True)
class LabMark:
    """The file's content; the role `node` writes it."""

    lab_name: str
    """The lab that the node was made for."""
    distribution: Literal["k3s", "kubeadm"]
    """What the cluster is made of."""
    profile: str
    """Name of the timers in force."""
    timers: Mapping[str, float]
    """These timers."""
    versions: Mapping[str, str]
    """Releases of what runs on the nodes."""
    images: Mapping[str, str]
    """Image references of what runs in pods."""
    settings: Mapping[str, Any]
    """Every setting of the inventory, as it was asked for."""
    hosts: Mapping[str, Role] = field(default_factory=dict)
    """Host name to role, as the inventory has them; empty on a node of an older kit."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what the file says, or None where it is not whole."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            return None  # cut off, or of another version of the kit

    @classmethod
    def read(cls, node: Node) -> Self | None:
        """Return what `node` says, or None where it has no such file, or none that is whole."""
        answer = node.run(["cat", PATH], timeout_s=10, check=False)
        return cls.parse(answer.stdout) if answer.returncode == 0 else None

    @classmethod
    def read_any(cls, nodes: Sequence[Node]) -> Self | None:
        """Return what the first of `nodes` that has the file says."""
        return next((file for node in nodes if (file := cls.read(node))), None)
