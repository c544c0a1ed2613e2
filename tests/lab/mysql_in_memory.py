"""A second MySQL in the lab, of the same image and arguments, whose tables are in memory."""

import base64
import contextlib
import socket
from collections.abc import Iterator

from kubernetes import client

from lab.cluster.lab import Lab
from tests.lab.until import until

PORT = 33999
NAME = "mysql-in-memory"
NAMESPACE = "grid"
START_S = 120


@contextlib.contextmanager
def mysql_in_memory(lab: Lab) -> Iterator[str]:
    """Run it on the first node; give its HOST:PORT:ROOTPASSWORD.

    The lab's own MySQL writes each table to three nodes; tests that make tables by the hundred
    take five minutes there.
    """
    api = lab.cluster.api()
    core = client.CoreV1Api(api)
    spec = client.AppsV1Api(api).read_namespaced_deployment("mysql", NAMESPACE).spec.template.spec
    spec.node_name = lab.nodes[0].name
    spec.host_network = True
    spec.affinity = spec.topology_spread_constraints = None
    (container,) = spec.containers
    container.args.append(f"--port={PORT}")
    container.ports = container.startup_probe = container.readiness_probe = None
    container.resources = None
    (data,) = (volume for volume in spec.volumes if volume.persistent_volume_claim)
    data.persistent_volume_claim = None
    data.empty_dir = client.V1EmptyDirVolumeSource(medium="Memory")
    metadata = client.V1ObjectMeta(name=NAME)
    core.create_namespaced_pod(NAMESPACE, client.V1Pod(metadata=metadata, spec=spec))
    try:
        address = str(lab.nodes[0].address)
        until(lambda: _unanswered(address), limit_s=START_S)
        secret = core.read_namespaced_secret("mysql", NAMESPACE)
        password = base64.b64decode(secret.data["root-password"]).decode()
        yield f"{address}:{PORT}:{password}"
    finally:
        core.delete_namespaced_pod(NAME, NAMESPACE, grace_period_seconds=0)


def _unanswered(address: str) -> str | None:
    try:
        socket.create_connection((address, PORT), timeout=1).close()
    except OSError as error:
        return str(error)
    return None
