"""A node of the lab, and the one way to run commands on it: SSH with the lab's own key."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.host.command import Result, run

Role = Literal["server", "worker"]
PROGRAMS = {"ssh": "openssh-client"}
"""What reaching a node takes of this machine, with its Debian package."""


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """How a node is reached."""

    key: Path
    """The private key."""
    known_hosts: Path
    """The nodes' host keys; no other file is asked."""
    user: str = "root"
    """Who logs in. Another user than root must be allowed to use sudo without a password."""

    @property
    def options(self) -> tuple[str, ...]:
        """Options of ssh(1): this lab's key and host keys, nothing of the user's own."""
        return (
            *("-F", "none", "-o", f"IdentityFile={_quoted(self.key)}", "-o", "IdentitiesOnly=yes"),
            *("-o", f"UserKnownHostsFile={_quoted(self.known_hosts)}"),
            *("-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"),
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
        )


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine of the lab."""

    name: str
    """Its host name, which is its name in Kubernetes too."""
    cluster: str
    """Name of the Kubernetes cluster that it belongs to."""
    role: Role
    """Server (control plane and etcd) or worker."""
    address: str
    """Its IPv4 address on the lab's network."""
    ssh: Ssh
    """How it is reached."""

    def ssh_argv(self, *options: str) -> tuple[str, ...]:
        """Return the ssh command line up to and including the destination."""
        return ("ssh", *self.ssh.options, *options, f"{self.ssh.user}@{self.address}")

    def root_argv(self, argv: Sequence[str], *options: str) -> tuple[str, ...]:
        """Return the command line that runs `argv` on the node as root."""
        sudo = [] if self.ssh.user == "root" else ["sudo", "-n"]
        return (*self.ssh_argv(*options), shlex.join([*sudo, *argv]))

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        timeout_s: float = 60,
        check: bool = True,
    ) -> Result:
        """Run `argv` on the node as root.

        Raises lab.host.command.CommandError on failure with `check`.
        """
        return run(self.root_argv(argv), stdin=stdin, timeout_s=timeout_s, check=check)


def _quoted(path: Path) -> str:
    """Return a path for ssh_config(5), which splits at spaces and replaces tokens such as %h."""
    return f'"{path}"'.replace("%", "%%")
