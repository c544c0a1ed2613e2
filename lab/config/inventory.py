"""The inventory of a lab: an ordinary Ansible inventory, read for hosts and settings."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab.config import settings, yaml_file
from lab.config.settings import Settings, shown
from lab.console.errors import LabError, together
from lab.nodes.node import Role
from lab.nodes.roster import Roster

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
    removed: frozenset[str] = frozenset()
    """Hosts of hosts.yml that the lab does without."""

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
    Raises LabError where a file is missing or no YAML; or, for all of it at once, where a
    setting is unknown or wrong, a host has no name that Kubernetes takes or is in both
    groups, or the number of servers is even.
    """
    if directory.is_file():
        raise LabError(
            f"{directory} is a file; an inventory is a directory.",
            f"Name the directory that it is in: --inventory {directory.parent}",
        )
    file = directory / "hosts.yml"
    groups = _mapping(_mapping(_yaml(file), "all", file), "children", file)
    variables = _yaml(directory / "group_vars" / "all.yml")
    given = overrides or {}
    problems: list[LabError] = []
    chosen = Settings()
    try:
        chosen = settings.parse(
            {**variables, **given},
            origin=str(directory / "group_vars" / "all.yml"),
            given=given.keys(),
            providers=providers,
        )
    except LabError as error:
        problems.append(error)
    hosts: dict[str, Role] = {}
    of_hosts: dict[str, Mapping[str, Any]] = {}
    for group, role in ROLES.items():
        named = _mapping(_mapping(groups, group, file), "hosts", file)
        for host in named:
            if host in hosts:
                problems.append(
                    LabError(
                        f"{file} has the host {host!r} among both servers and workers.",
                        "Leave it in one of the two groups.",
                    )
                )
                continue
            hosts[host] = role
            of_hosts[host] = _mapping(named, host, file)
    inventory = Inventory(directory=directory, settings=chosen, hosts=hosts, variables=of_hosts)
    problems += [*_wrong_names(inventory), *_wrong_servers(inventory)]
    if problems:
        raise together(problems, f"The inventory {directory} can't be taken")
    return inventory


def check_names(inventory: Inventory) -> None:
    """Raise LabError where a host has a name that Kubernetes does not take."""
    for error in _wrong_names(inventory):
        raise error


def changed(inventory: Inventory, roster: Roster) -> Inventory:
    """Return the inventory of a lab that has other nodes than its files say."""
    return replace(
        inventory,
        hosts=roster.applied(inventory.hosts),
        removed=roster.removed & inventory.hosts.keys(),
    )


def without(file: Path, removed: Collection[str]) -> Mapping[str, Any]:
    """Return what hosts.yml says, without the hosts `removed`, in whatever group they are."""

    def pruned(group: Any) -> Any:
        if not isinstance(group, dict):
            return group
        kept = {key: value for key, value in group.items() if key not in ("hosts", "children")}
        if isinstance(group.get("hosts"), dict):
            hosts = group["hosts"].items()
            kept["hosts"] = {name: said for name, said in hosts if name not in removed}
        if isinstance(group.get("children"), dict):
            children = group["children"].items()
            kept["children"] = {name: pruned(child) for name, child in children}
        return kept

    return {name: pruned(group) for name, group in _yaml(file).items()}


def _mapping(parent: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    """Return what stands below `key`: nothing, or a mapping; else raise LabError."""
    found = parent.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise LabError(
            f"{file}: {key!r} must hold a mapping of names, each with a colon; it is "
            f"{shown(found)}.",
            "Compare it with inventories/embedded/hosts.yml.",
        )
    if wrong := [name for name in found if not isinstance(name, str)]:
        raise LabError(
            f"{file}: names below {key!r} that YAML takes for something else: {shown(wrong)}.",
            "Write each in quotes.",
        )
    return found


def _wrong_names(inventory: Inventory) -> Iterator[LabError]:
    wrong = [
        host
        for host in inventory.hosts
        if not _HOST_NAME.fullmatch(host) or len(host) > _HOST_NAME_LIMIT
    ]
    if wrong:
        yield LabError(
            f"{inventory.directory / 'hosts.yml'} has hosts whose names Kubernetes refuses: "
            f"{', '.join(wrong)}.",
            "Names of nodes are up to 63 lower-case letters, digits, dashes and dots, and begin "
            "and end with a letter or digit.",
        )


def _wrong_servers(inventory: Inventory) -> Iterator[LabError]:
    count = len(inventory.servers)
    if count % 2 == 0:
        yield LabError(
            f"{inventory.directory / 'hosts.yml'} has {count} servers; etcd needs an odd number: "
            "an even one survives no more losses than one server less.",
            f"Use {count + 1} servers, or {count - 1}." if count else "Use 3 servers, or 1.",
        )


def _yaml(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml_file.load(file)
    except FileNotFoundError:
        raise LabError(
            f"The inventory has no file {file}.",
            "Name a directory such as inventories/embedded with --inventory.",
        ) from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise LabError(
            f"{file} holds no mapping of names to values.", "Compare it with inventories/embedded."
        )
    return content
