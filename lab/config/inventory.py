"""The inventory of a lab: an ordinary Ansible inventory, read for hosts and settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.config import settings
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.nodes.node import Role

ROLES: dict[str, Role] = {"servers": "server", "workers": "worker"}
"""The groups that hold nodes, and what a node of each is."""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What an inventory says of a lab."""

    directory: Path
    """Where it was read from."""
    settings: Settings
    """The lab's settings."""
    hosts: Mapping[str, Role]
    """Host name to role, servers first, in the inventory's order."""

    @property
    def servers(self) -> list[str]:
        """The control-plane hosts."""
        return [name for name, role in self.hosts.items() if role == "server"]


def load(directory: Path, overrides: Mapping[str, Any] | None = None) -> Inventory:
    """Read `directory`/hosts.yml and group_vars/all.yml; `overrides` win over the latter.

    Raises LabError where a file is missing or no YAML, a setting is unknown or
    wrong, there is no host, or the number of servers is even.
    """
    groups = _yaml(directory / "hosts.yml").get("all", {}).get("children", {})
    variables = {**_yaml(directory / "group_vars" / "all.yml"), **(overrides or {})}
    chosen = settings.parse(variables, origin=str(directory / "group_vars" / "all.yml"))
    hosts: dict[str, Role] = {
        host: role
        for group, role in ROLES.items()
        for host in (groups.get(group) or {}).get("hosts") or {}
    }
    inventory = Inventory(directory=directory, settings=chosen, hosts=hosts)
    _check_servers(inventory)
    return inventory


def _check_servers(inventory: Inventory) -> None:
    count = len(inventory.servers)
    if count % 2 == 0:
        raise LabError(
            f"{inventory.directory / 'hosts.yml'} has {count} servers; etcd needs an odd number: "
            "an even one survives no more losses than one server less.",
            f"Use {count + 1} servers{f', or {count - 1}' if count else ''}.",
        )


def _yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text()) or {}
    except FileNotFoundError:
        raise LabError(
            f"The inventory has no file {file}.",
            "Name a directory such as inventories/embedded with --inventory.",
        ) from None
    except yaml.YAMLError as error:
        raise LabError(f"{file} is no valid YAML.", "Mend it there.", evidence=str(error)) from None
    if not isinstance(content, dict):
        raise LabError(f"{file} holds no mapping.", "Compare it with inventories/embedded.")
    return content
