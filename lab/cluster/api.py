"""The lab's Kubernetes cluster, seen from the control machine through any of its servers."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from lab.cluster.endpoints import API_PORT
from lab.console.errors import LabError
from lab.host.command import CommandError
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory

KUBECONFIG_IN_NODE = "/etc/blackstart/kubeconfig"
NAMESPACE = "grid"
"""Where the workloads are."""
TIMEOUT_S = 5


class Cluster:
    """Clients of the API servers, one for each, as any one of them may be lost."""

    def __init__(self, name: str, state: StateDirectory, nodes: Sequence[Node]) -> None:
        self.name = name
        self._state = state
        self.nodes = tuple(nodes)
        self.servers = tuple(node for node in nodes if node.role == "server")

    def kubeconfig(self, server: str) -> Path:
        """Return the kubeconfig that goes to the API of the node called `server`.

        Raises LabError where it has to be fetched first and no server has one.
        """
        file = self._state.kubeconfig(self.name, server)
        if not file.exists():
            self.fetch_kubeconfigs()
        return file

    def fetch_kubeconfigs(self) -> None:
        """Read the administrator's kubeconfig from a server and write one for each server.

        Raises LabError where no server has one.
        """
        reasons = []
        for node in self.servers:
            try:
                text = node.run(["cat", KUBECONFIG_IN_NODE]).stdout
            except CommandError as error:
                reasons.append(f"{node.name}: {error}")
                continue
            for server in self.servers:
                address = f"server: https://{server.address}:{API_PORT}"
                file = self._state.kubeconfig(self.name, server.name)
                file.touch(mode=0o600)
                file.write_text(re.sub(r"server: https://\S+", address, text))
            return
        raise LabError(
            f"No server of the lab {self.name!r} has a kubeconfig.",
            "Run `lab up` to build the cluster.",
            evidence="\n".join(reasons),
        )

    def api_of(self, server: str) -> client.ApiClient:
        """Return a client of the API server on the node called `server`."""
        configuration = client.Configuration()
        config.load_kube_config(str(self.kubeconfig(server)), client_configuration=configuration)
        # A server that is gone must cost seconds, not urllib3's three tries.
        configuration.retries = False
        # The lab's own addresses are on this machine or beside it, whatever $HTTPS_PROXY is.
        configuration.proxy = None
        return client.ApiClient(configuration)

    def api(self) -> client.ApiClient:
        """Return a client of the first API server that answers from etcd.

        Raises LabError that tells of every server where none is.
        """
        reasons = []
        for server in self.servers:
            api = self.api_of(server.name)
            try:
                # A read that etcd must answer: a server without a quorum is no use.
                client.CoreV1Api(api).list_node(limit=1, _request_timeout=TIMEOUT_S)
            except (ApiException, urllib3.exceptions.HTTPError) as error:
                reasons.append(f"{server.name}: {str(error).splitlines()[0]}")
                continue
            return api
        raise LabError(
            f"No API server of the lab {self.name!r} answers.",
            "Run `lab heal`, then `lab up`; `lab logs NODE` shows a node's journal.",
            evidence="\n".join(reasons),
        )

    def list_nodes(self) -> list[Any]:
        """Return the Node objects."""
        core = client.CoreV1Api(self.api())
        return list(core.list_node(_request_timeout=TIMEOUT_S).items)

    def list_pods(self, namespace: str | None = None) -> list[Any]:
        """Return the Pod objects of `namespace`, or of all."""
        core = client.CoreV1Api(self.api())
        if namespace:
            return list(core.list_namespaced_pod(namespace, _request_timeout=TIMEOUT_S).items)
        return list(core.list_pod_for_all_namespaces(_request_timeout=TIMEOUT_S).items)


def is_ready(thing: Any) -> bool:
    """Tell whether a Node or a Pod has the condition Ready."""
    conditions = thing.status.conditions or []
    return any(c.type == "Ready" and c.status == "True" for c in conditions)
