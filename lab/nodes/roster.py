"""The nodes that a lab has beside its inventory: added to it, or removed from it, while it runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from lab.nodes.node import Role
from lab.nodes.state import StateDirectory


@dataclass(frozen=True, kw_only=True)
class Roster:
    """How the nodes of a lab differ from what its inventory says."""

    added: Mapping[str, Role] = field(default_factory=dict)
    """Host name to role."""
    removed: frozenset[str] = frozenset()
    """Host names of the inventory."""

    @classmethod
    def read(cls, state: StateDirectory) -> Self:
        """Return what was written down; nothing where the file is lost or damaged."""
        try:
            said = json.loads(state.roster.read_text())
            added: dict[str, Role] = {
                str(name): "server" if role == "server" else "worker"
                for name, role in said["added"].items()
            }
            return cls(added=added, removed=frozenset(map(str, said["removed"])))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, state: StateDirectory) -> None:
        """Write it down, until `lab down`."""
        state.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        said = {"added": dict(self.added), "removed": sorted(self.removed)}
        state.roster.write_text(json.dumps(said))

    def applied(self, hosts: Mapping[str, Role]) -> dict[str, Role]:
        """Return the hosts of an inventory with these changes, servers first."""
        every = {**hosts, **self.added}
        kept = {name: role for name, role in every.items() if name not in self.removed}
        return dict(sorted(kept.items(), key=lambda host: host[1] != "server"))

    def with_added(self, name: str, role: Role, inventory: Mapping[str, Role]) -> Self:
        """Return it with one node more; one of the inventory's is no longer removed."""
        added = dict(self.added) if inventory.get(name) == role else {**self.added, name: role}
        return type(self)(added=added, removed=self.removed - {name})

    def with_removed(self, name: str, inventory: Mapping[str, Role]) -> Self:
        """Return it with one node less."""
        added = {other: role for other, role in self.added.items() if other != name}
        removed = self.removed | ({name} if name in inventory else frozenset())
        return type(self)(added=added, removed=removed)
