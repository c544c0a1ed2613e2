"""The inventory of a lab: an ordinary Ansible inventory, read for hosts and settings."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.config import settings
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.nodes.node import Role

ROLES: dict[str, Role] = {"servers": "server", "workers": "worker"}
"""The groups that hold nodes, and what a node of each is."""
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
"""The names that Kubernetes gives nodes (RFC 1123)."""
_HOST_NAME_LIMIT = 63


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What an inventory says of a lab."""

    directory: Path
    """Where it was read from."""
    settings: Settings
    """The lab's settings."""
    hosts: Mapping[str, Role]
    """Host name to role, servers first, in the inventory's order."""
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Host name to what hosts.yml says of it, such as ansible_host."""

    @property
    def servers(self) -> list[str]:
        """The control-plane hosts."""
        return [name for name, role in self.hosts.items() if role == "server"]


def load(
    directory: Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    providers: Collection[str] | None = None,
) -> Inventory:
    """Read `directory`/hosts.yml and group_vars/all.yml; `overrides` win over the latter.

    `providers` are the values that `lab_provider` may have; None leaves that unchecked.
    Raises LabError where a file is missing or no YAML, a setting is unknown or
    wrong, a host has no name that Kubernetes takes, or the number of servers is even.
    """
    if directory.is_file():
        raise LabError(
            f"{directory} is a file; an inventory is a directory.",
            f"Name the directory that it is in: --inventory {directory.parent}",
        )
    file = directory / "hosts.yml"
    groups = _mapping(_mapping(_yaml(file), "all", file), "children", file)
    variables = {**_yaml(directory / "group_vars" / "all.yml"), **(overrides or {})}
    chosen = settings.parse(
        variables, origin=str(directory / "group_vars" / "all.yml"), providers=providers
    )
    hosts: dict[str, Role] = {}
    of_hosts: dict[str, Mapping[str, Any]] = {}
    for group, role in ROLES.items():
        named = _mapping(_mapping(groups, group, file), "hosts", file)
        for host in named:
            hosts[str(host)] = role
            of_hosts[str(host)] = _mapping(named, host, file)
    inventory = Inventory(directory=directory, settings=chosen, hosts=hosts, variables=of_hosts)
    _check_names(inventory)
    _check_servers(inventory)
    return inventory


def _mapping(parent: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    """Return what stands below `key`: nothing, or a mapping; else raise LabError."""
    found = parent.get(key) or {}
    if not isinstance(found, dict):
        raise LabError(
            f"{file}: {key!r} must hold a mapping of names, each with a colon; it is {found!r}.",
            "Compare it with inventories/embedded/hosts.yml.",
        )
    return found


def _check_names(inventory: Inventory) -> None:
    wrong = [
        host
        for host in inventory.hosts
        if not _HOST_NAME.fullmatch(host) or len(host) > _HOST_NAME_LIMIT
    ]
    if wrong:
        raise LabError(
            f"{inventory.directory / 'hosts.yml'} has hosts whose names Kubernetes refuses: "
            f"{', '.join(wrong)}.",
            "Names of nodes are up to 63 lower-case letters, digits, dashes and dots, and begin "
            "and end with a letter or digit.",
        )


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
