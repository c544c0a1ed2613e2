"""The lab's files on the control machine: keys, host keys, kubeconfigs, snapshots, and the lock.

Only what cannot live in the nodes is here. `lab up` makes all of it again where it is lost.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from lab.console.errors import LabError
from lab.host import environment
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

    @property
    def snapshots(self) -> Path:
        """The directory of the snapshots of the cluster's etcd."""
        return self.directory / "snapshots"

    @property
    def roster(self) -> Path:
        """Where the nodes are written down that the lab has beside its inventory."""
        return self.directory / "roster.json"

    @property
    def release(self) -> Path:
        """Where the release of k3s is written down that the lab's channel was at."""
        return self.directory / "k3s-release"

    @property
    def storage(self) -> Path:
        """Where the backend of the workloads' volumes is written down, for `lab_storage: auto`."""
        return self.directory / "storage"

    def make_keys(self) -> None:
        """Make the lab's SSH keys where they are missing or damaged."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for key in (self.ssh.key, self.host_key):
            if not _is_whole(key):
                key.unlink(missing_ok=True)
                Path(f"{key}.pub").unlink(missing_ok=True)
                comment = f"blackstart-{self.name}"
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", key])

    def know_hosts(self, addresses: list[str]) -> None:
        """Write the known_hosts file for nodes at `addresses`, which all have the host key."""
        kind, public, *_ = Path(f"{self.host_key}.pub").read_text().split()
        lines = [f"{address} {kind} {public}\n" for address in addresses]
        self.ssh.known_hosts.write_text("".join(lines))

    def remember_hosts(self, hosts: Mapping[str, str]) -> None:
        """Write down the lab's hosts, name to role, for when none of them can be asked."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hosts.write_text(json.dumps(dict(hosts)))

    def hosts(self) -> dict[str, str]:
        """Return the hosts that were written down last, name to role; empty where none were."""
        try:
            said = json.loads(self._hosts.read_text())
        except (OSError, ValueError):
            return {}
        return {str(name): str(said[name]) for name in said} if isinstance(said, dict) else {}

    @property
    def _hosts(self) -> Path:
        return self.directory / "hosts.json"

    def remove(self) -> None:
        """Remove the directory; raises LabError where it can't be."""
        try:
            shutil.rmtree(self.directory)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LabError(
                f"The lab's directory {self.directory} can't be removed: {error.strerror}.",
                f"Remove it yourself: sudo rm -r {self.directory}",
            ) from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other `lab` commands from changing the same lab.

        Raises LabError at once where one is at work. The kernel drops the lock with
        the process, so a killed command leaves none behind.
        """
        self.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.directory.with_suffix(".lock")
        if file.exists() and not file.is_file():
            raise LabError(f"{file} must be a file, and is none.", "Move it away.")
        with file.open("a+", errors="replace") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock.fileno()).st_nlink == 0:
                    # Its holder removed it after it was opened here; another may hold a new one.
                    raise BlockingIOError
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


def known_labs() -> list[str]:
    """Return the names of the labs that have a state directory."""
    root = _root()
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _is_whole(key: Path) -> bool:
    """Tell whether a private key can be used, and has its public half beside it."""
    try:
        public = Path(f"{key}.pub").read_bytes()
        regular = key.is_file()
    except OSError:
        return False
    if not regular:
        return False
    told = run(["ssh-keygen", "-y", "-P", "", "-f", key], timeout_s=10, check=False)
    return (
        told.returncode == 0
        and told.stdout.split()[:2] == public.decode(errors="replace").split()[:2]
    )


def _root() -> Path:
    return environment.user_directory(
        "BLACKSTART_STATE", lambda: platformdirs.user_state_path("blackstart")
    )
