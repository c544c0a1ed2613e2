"""A node of the lab, and the one way to run commands on it: SSH with the lab's own key."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.console.errors import LabError
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

    def check(self) -> None:
        """Raise LabError that names the file without which no node can be reached."""
        for file, begin in ((self.key, b"-----BEGIN"), (self.known_hosts, b"")):
            try:
                with file.open("rb") as opened:
                    content = opened.read(1024)
                why = "" if content and content.startswith(begin) else "it is damaged"
            except OSError as error:
                why = error.strerror or str(error)
            if why:
                raise LabError(
                    f"The lab's nodes can't be reached without {file}: {why}.",
                    "Run `lab up`, which writes it; move away what stands in its place.",
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

    def start(self, argv: Sequence[str]) -> "subprocess.Popen[str]":
        """Start `argv` on the node as root, with pipes to its standard input and output.

        It goes on until it ends, or this process does. A node that is too busy to answer
        for a while stays connected; Ctrl-C in the terminal does not reach the connection.
        """
        ssh, *words = self.root_argv(argv)
        return subprocess.Popen(
            [ssh, "-o", "ServerAliveInterval=0", *words],  # ssh takes the first value of an option
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )


def _quoted(path: Path) -> str:
    """Return a path for ssh_config(5), which splits at spaces and replaces tokens such as %h."""
    return f'"{path}"'.replace("%", "%%")
