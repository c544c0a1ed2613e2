"""Snapshots of the cluster's etcd, kept outside of the cluster in the lab's state directory."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.config.files import PLAYBOOKS
from lab.console.errors import LabError
from lab.host.command import CommandError
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory

KEPT = 3
"""How many stay; an older one goes when a new one comes."""
LIMIT_S = 60
MEMBERS = PLAYBOOKS / "roles/membership/files/members.py"
"""Asks etcd for its members or a snapshot, on a server; the role `membership` uses it too."""
_NAME = "%Y%m%dT%H%M%SZ"
_SUFFIX = ".tar.gz"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Etcd's data at one moment, with the keys without which they are of no use."""

    file: Path
    """The archive: `etcd.db`, and `pki/` (kubeadm) or `token` (k3s)."""
    taken: datetime
    """When it was taken, UTC."""

    def __str__(self) -> str:
        return f"the snapshot of {self.taken:%Y-%m-%d %H:%M:%S} UTC"


def take(servers: Sequence[Node], state: StateDirectory) -> Snapshot:
    """Take a snapshot from the first of `servers` that gives one, and keep it.

    Raises LabError where none does.
    """
    reasons = []
    for server in servers:
        try:
            argv = ["python3", "-", "snapshot"]
            answer = server.run(argv, stdin=MEMBERS.read_text(), timeout_s=LIMIT_S)
        except CommandError as error:
            reasons.append(f"{server.name}: {error}")
            continue
        return _keep(base64.b64decode(answer.stdout), state)
    raise LabError("No server gave a snapshot of etcd.", evidence="\n".join(reasons))


def newest(state: StateDirectory) -> Snapshot | None:
    """Return the newest snapshot that is kept, or None where there is none."""
    found = _all(state)
    return found[-1] if found else None


def _keep(archive: bytes, state: StateDirectory) -> Snapshot:
    taken = datetime.now(UTC).replace(microsecond=0)
    state.snapshots.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = state.snapshots / f"{taken:{_NAME}}{_SUFFIX}"
    part = file.with_name(f"{file.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        written.write(archive)
    part.replace(file)
    for old in _all(state)[:-KEPT]:
        old.file.unlink(missing_ok=True)
    return Snapshot(file=file, taken=taken)


def _all(state: StateDirectory) -> list[Snapshot]:
    """Return what is kept, the oldest first; files of other names are left alone."""
    found = []
    for file in sorted(state.snapshots.glob(f"*{_SUFFIX}")):
        try:
            taken = datetime.strptime(file.name.removesuffix(_SUFFIX), _NAME).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append(Snapshot(file=file, taken=taken))
    return found
