"""Volumes of a lab, named and labelled as its own: they outlive a container removed by hand."""

import docker
from docker.types import Mount

from lab.providers.container import labels

STATE_IN_NODE = {
    "containerd": "/var/lib/containerd",
    "kubelet": "/var/lib/kubelet",
    "etcd": "/var/lib/etcd",
    "rancher": "/var/lib/rancher",
}
"""Directories on volumes: an overlay file system cannot lie on another one."""
SHARED_IN_NODE = "/var/lib/blackstart/shared"
"""Where all nodes of a lab see one and the same directory."""


def mounts(client: docker.DockerClient, lab: str, host: str) -> list[Mount]:
    """Make the volumes of a new node, empty, and the shared one where it is missing."""
    remove(client, lab, host)
    found = [Mount(SHARED_IN_NODE, f"{lab}-shared", type="volume")]
    # Asking for a volume that is there returns it as it is.
    client.volumes.create(f"{lab}-shared", labels={labels.LAB: lab})
    for name, path in STATE_IN_NODE.items():
        volume = f"{lab}-{host}-{name}"
        client.volumes.create(volume, labels={labels.LAB: lab, labels.HOST: host})
        found.append(Mount(path, volume, type="volume"))
    return found


def remove(client: docker.DockerClient, lab: str, host: str = "") -> list[str]:
    """Remove the volumes of `host`, or all of the lab, and return their names."""
    removed = []
    for volume in client.volumes.list(filters=labels.of_lab(lab)):
        if not host or (volume.attrs["Labels"] or {}).get(labels.HOST) == host:
            volume.remove(force=True)
            removed.append(str(volume.name))
    return removed
