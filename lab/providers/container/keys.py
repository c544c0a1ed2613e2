"""The lab's key and host key, put into a container, which takes them when stopped too."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from docker.models.containers import Container

from lab.nodes.state import StateDirectory


def put(container: Container, state: StateDirectory) -> None:
    """Let the lab's key in, and give the node the lab's host key."""
    key = Path(f"{state.ssh.key}.pub").read_bytes()
    host_key = state.host_key
    files = {
        "root/.ssh/authorized_keys": (key, 0o600),
        "etc/ssh/ssh_host_ed25519_key": (host_key.read_bytes(), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (Path(f"{host_key}.pub").read_bytes(), 0o644),
    }
    container.put_archive("/", _tar(files))


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Return a tar archive of `files`, path to content and mode, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        ssh = tarfile.TarInfo("root/.ssh")
        ssh.type, ssh.mode = tarfile.DIRTYPE, 0o700
        archive.addfile(ssh)
        for path, (content, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
