"""Volumes of a lab, named and labelled as its own: they outlive a container removed by hand."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import APIError, NotFound
from docker.types import Mount

from lab.console.errors import LabError
from lab.providers.container import labels
from lab.providers.provider import StorageChoice

STATE_IN_NODE = {
    "containerd": "/var/lib/containerd",
    "kubelet": "/var/lib/kubelet",
    "etcd": "/var/lib/etcd",
    "rancher": "/var/lib/rancher",
    "bricks": "/var/lib/blackstart/bricks",
}
"""Directories on volumes: an overlay file system cannot lie on another one."""
FILE_SYSTEMS = Path("/proc/filesystems")
"""Those that this machine's kernel has now."""
MODULES = Path("/lib/modules")
"""Those that it can load, by its release."""
CONFLICT = 409
"""The engine's code for a volume that a container has."""


def refuse_unfit(storage: str) -> None:
    """Raise LabError where container nodes can't have this backend of `lab_storage`."""
    if storage == "longhorn":
        raise LabError(
            "Longhorn can't run on container nodes: the kernel's iSCSI serves the machine's own "
            "network only.",
            "Set lab_storage to gluster, which replicates too; or bring the lab up on machines.",
        )
    if storage == "gluster" and not _has_fuse():
        raise LabError(
            "This machine's kernel has no FUSE, by which nodes mount the volume of GlusterFS.",
            "Load it with `sudo modprobe fuse`, or set lab_storage to local-path, with which a "
            "lost node's rows wait for it.",
        )


def storage(servers: int) -> StorageChoice:
    """Return the storage that container nodes have by themselves, and why."""
    if _has_fuse():
        few = "one replica, as there are fewer than three servers"
        reason = "a replica on each of three servers" if servers >= 3 else few
        return StorageChoice(backend="gluster", reason=reason)
    return StorageChoice(
        backend="local-path",
        reason="a lost node's rows wait for it, as this machine's kernel has no FUSE, by which "
        "nodes would mount replicated storage",
    )


def _has_fuse() -> bool:
    """Tell whether the kernel has FUSE, or loads its module when a node opens /dev/fuse."""
    if "fuse" in FILE_SYSTEMS.read_text().split():
        return True
    try:
        listed = (MODULES / os.uname().release / "modules.dep").read_text()
    except OSError:
        return False
    return re.search(r"/fuse\.ko[.\w]*:", listed) is not None


def names(lab: str, host: str) -> dict[str, str]:
    """Return the volumes that a node has: path in the node to name."""
    return {path: f"{lab}-{host}-{name}" for name, path in STATE_IN_NODE.items()}


def mounts(client: docker.DockerClient, lab: str, host: str) -> list[Mount]:
    """Make the volumes of a new node, empty."""
    list(remove(client, lab, host))
    found = []
    for path, volume in names(lab, host).items():
        client.volumes.create(volume, labels={**labels.of_new(lab), labels.HOST: host})
        found.append(Mount(path, volume, type="volume"))
    return found


def remove(client: docker.DockerClient, lab: str, host: str = "") -> Iterator[str]:
    """Remove the volumes of `host`, or all of the lab, and yield their names.

    Raises LabError at the end, where containers that are not the lab's have some of them.
    """
    kept: dict[str, list[str]] = {}
    for volume in client.volumes.list(filters=labels.of_lab(lab)):
        if host and (volume.attrs["Labels"] or {}).get(labels.HOST) != host:
            continue
        try:
            volume.remove(force=True)
        except NotFound:
            continue
        except APIError as error:
            if error.status_code != CONFLICT:
                raise
            users = client.containers.list(
                all=True, filters={"volume": volume.name}, ignore_removed=True
            )
            kept[str(volume.name)] = sorted(str(user.name) for user in users)
            continue
        yield str(volume.name)
    if kept:
        users_of_any = sorted({user for users in kept.values() for user in users})
        raise LabError(
            f"Volumes of the lab can't be removed: {', '.join(kept)}. Containers that are not "
            f"the lab's use them: {', '.join(users_of_any)}.",
            "Remove these containers (docker rm -f), then run the command again.",
        )
