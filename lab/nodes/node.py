"""A node of the lab, and the one way to run commands on it: SSH with the lab's own key."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.host.command import Result, run

Role = Literal["server", "worker"]


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """How the lab's nodes are reached."""

    key: Path
    """The lab's private key."""
    known_hosts: Path
    """The nodes' host keys; no other file is asked."""
    user: str = "root"
    """Who logs in."""

    @property
    def options(self) -> tuple[str, ...]:
        """Options of ssh(1): this lab's key and host keys, nothing of the user's own."""
        return (
            *("-F", "none", "-i", str(self.key), "-o", "IdentitiesOnly=yes"),
            *("-o", f"UserKnownHostsFile={self.known_hosts}"),
            *("-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"),
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
        )


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine of the lab."""

    name: str
    """Its host name, which is its name in Kubernetes too."""
    role: Role
    """Server (control plane and etcd) or worker."""
    address: str
    """Its IPv4 address on the lab's network."""
    ssh: Ssh
    """How it is reached."""

    def ssh_argv(self, *options: str) -> tuple[str, ...]:
        """Return the ssh command line up to and including the destination."""
        return ("ssh", *self.ssh.options, *options, f"{self.ssh.user}@{self.address}")

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        timeout_s: float = 60,
        check: bool = True,
    ) -> Result:
        """Run `argv` on the node; raises lab.host.command.CommandError on failure with `check`."""
        return run(
            (*self.ssh_argv(), shlex.join(argv)), stdin=stdin, timeout_s=timeout_s, check=check
        )
