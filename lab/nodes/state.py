"""The lab's files on the control machine: keys, host keys, kubeconfigs, and the lock.

Only what cannot live in the nodes is here. `lab up` makes all of it again where it is lost.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from lab.console.errors import LabError
from lab.host.command import run
from lab.nodes.node import Ssh


class StateDirectory:
    """The state directory of the lab called `name`."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        self.name = name
        self.directory = (root or _root()) / name

    @property
    def ssh(self) -> Ssh:
        """How the lab's nodes are reached."""
        return Ssh(key=self.directory / "id_ed25519", known_hosts=self.directory / "known_hosts")

    @property
    def host_key(self) -> Path:
        """The private host key that the lab's container nodes share."""
        return self.directory / "host_ed25519"

    def kubeconfig(self, cluster: str, server: str) -> Path:
        """Return the kubeconfig of `cluster` that goes to `server`'s own API."""
        return self.directory / f"kubeconfig-{cluster}-{server}.yaml"

    def make_keys(self) -> None:
        """Make the lab's SSH keys where they are missing."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for key in (self.ssh.key, self.host_key):
            if not key.exists():
                comment = f"blackstart-{self.name}"
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", key])

    def know_hosts(self, addresses: list[str]) -> None:
        """Write the known_hosts file for nodes at `addresses`, which all have the host key."""
        kind, public, *_ = Path(f"{self.host_key}.pub").read_text().split()
        lines = [f"{address} {kind} {public}\n" for address in addresses]
        self.ssh.known_hosts.write_text("".join(lines))

    def remove(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other `lab` commands from changing the same lab.

        Raises LabError at once where one is at work. The kernel drops the lock with
        the process, so a killed command leaves none behind.
        """
        self.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.directory.with_suffix(".lock")
        with file.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise LabError(
                    f"Another lab command (process {lock.read().strip() or 'unknown'}) is at work "
                    f"on the lab {self.name!r}.",
                    "Wait for its end, or give this lab another name with --name.",
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield
            finally:
                file.unlink(missing_ok=True)


def _root() -> Path:
    return Path(os.environ.get("BLACKSTART_STATE") or platformdirs.user_state_path("blackstart"))
