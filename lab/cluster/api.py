"""The lab's Kubernetes cluster, seen from the control machine through any of its servers."""

import json
import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from lab.cluster.endpoints import API_PORT
from lab.console.errors import LabError
from lab.host.command import CommandError
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory
from service import threads

T = TypeVar("T")
KUBECONFIG_IN_NODE = "/etc/blackstart/kubeconfig"
NAMESPACE = "grid"
"""Where the workloads are."""
TIMEOUT_S = 5
_READING = threading.Lock()
SSH_TIMEOUT_S = 6
"""A little more than ssh itself gives a connection, in seconds."""


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

        All servers are asked at once. Raises LabError where none has one.
        """
        asked = {
            node.name: threads.submit(partial(_kubeconfig_on, node), f"kubeconfig of {node.name}")
            for node in self.servers
        }
        reasons = []
        for name, answer in asked.items():
            try:
                text = answer.result()
            except CommandError as error:
                reasons.append(f"{name}: {_last_line(error.result.stderr)}")
                continue
            self._state.remember_hosts({node.name: node.role for node in self.nodes})
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
        """Return a client of the API server on the node called `server`.

        A kubeconfig that is damaged is fetched again. Raises LabError where no server has one.
        """
        configuration = client.Configuration()
        try:
            _read(self.kubeconfig(server), configuration)
        except LabError:
            raise
        except Exception:  # the library says of each damage something else
            self._read_again(server, configuration)
        # A server that is gone must cost seconds, not urllib3's three tries.
        configuration.retries = False
        # The lab's own addresses are on this machine or beside it, whatever $HTTPS_PROXY is.
        configuration.proxy = None
        return client.ApiClient(configuration)

    def _read_again(self, server: str, configuration: client.Configuration) -> None:
        """Read a kubeconfig that was damaged, after it was fetched again."""
        self.fetch_kubeconfigs()
        file = self.kubeconfig(server)
        try:
            _read(file, configuration)
        except Exception as error:  # the servers' own is damaged, too
            raise LabError(
                f"The kubeconfig {file} is damaged.",
                "Run `lab up`, which writes it again.",
                evidence=str(error),
            ) from None

    def api(self) -> client.ApiClient:
        """Return a client of the first API server that answers from etcd.

        Raises LabError that tells of every server where none is.
        """

        def answering(api: client.ApiClient) -> client.ApiClient:
            # A read that etcd must answer: a server without a quorum is no use.
            client.CoreV1Api(api).list_node(limit=1, _request_timeout=TIMEOUT_S)
            return api

        return self._ask(answering)

    def list_nodes(self) -> list[Any]:
        """Return the Node objects. Raises LabError as api() does."""
        return self._ask(
            lambda api: list(client.CoreV1Api(api).list_node(_request_timeout=TIMEOUT_S).items)
        )

    def list_pods(self, namespace: str | None = None) -> list[Any]:
        """Return the Pod objects of `namespace`, or of all. Raises LabError as api() does."""

        def listed(api: client.ApiClient) -> list[Any]:
            core = client.CoreV1Api(api)
            if namespace:
                return list(core.list_namespaced_pod(namespace, _request_timeout=TIMEOUT_S).items)
            return list(core.list_pod_for_all_namespaces(_request_timeout=TIMEOUT_S).items)

        return self._ask(listed)

    def list_deployments(self, namespace: str) -> list[Any]:
        """Return the Deployment objects of `namespace`. Raises LabError as api() does."""

        def listed(api: client.ApiClient) -> list[Any]:
            apps = client.AppsV1Api(api)
            found = apps.list_namespaced_deployment(namespace, _request_timeout=TIMEOUT_S)
            return list(found.items)

        return self._ask(listed)

    def _ask(self, what: Callable[[client.ApiClient], T]) -> T:
        """Return what the first API server says that answers; one that fails is passed over."""
        reasons = []
        for server in self.servers:
            api = self.api_of(server.name)
            try:
                return what(api)
            except Exception as error:  # whatever is wrong with one server, another may answer
                reasons.append(f"{server.name}: {why(error)}")
        raise LabError(
            f"No API server of the lab {self.name!r} answers.",
            "Run `lab heal`, then `lab up`; `lab logs NODE` shows a node's journal.",
            evidence="\n".join(reasons),
        )


def why(error: BaseException) -> str:
    """Return in one line why an API server gave no answer that can be used."""
    if isinstance(error, ApiException) and error.status:
        return f"HTTP {error.status} {error.reason or ''}{_message(error.body)}".strip()
    # On an error of TLS the client library fails itself, so that the cause is behind its error.
    cause: BaseException | None = error
    while cause and not isinstance(cause, urllib3.exceptions.HTTPError):
        cause = cause.__context__
    error = cause or error
    if isinstance(error, LabError):
        return f"{error.message} {error.cure}"
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason:
        error = error.reason
    # Some of its errors are a pair of an object and the sentence.
    said = error.args[-1] if len(error.args) > 1 else error
    text = " ".join(str(said).split())
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not of the cluster that the kubeconfig on this machine is for"
    # Others begin with the object that it was at, and its place in memory.
    return re.sub(r"^<?\w+\(.*?\)[^:]*: ", "", text)[:300] or type(error).__name__


def _message(body: Any) -> str:
    """Return what Kubernetes says in the body of an error; nothing where it is none of its."""
    try:
        return f": {json.loads(body)['message']}"
    except (TypeError, ValueError, KeyError):
        return ""


def _kubeconfig_on(node: Node) -> str:
    return node.run(["cat", KUBECONFIG_IN_NODE], timeout_s=SSH_TIMEOUT_S).stdout


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _read(kubeconfig: Path, configuration: client.Configuration) -> None:
    # The library writes keys to files: here they go with the lab, should this process be killed.
    # It forgets those that two threads write at once.
    with _READING:
        config.load_kube_config(
            str(kubeconfig),
            client_configuration=configuration,
            persist_config=False,
            temp_file_path=str(kubeconfig.parent / "tls"),
        )


def is_ready(thing: Any) -> bool:
    """Tell whether a Node or a Pod has the condition Ready."""
    conditions = thing.status.conditions or []
    return any(c.type == "Ready" and c.status == "True" for c in conditions)


def ready_changed_at(node: Any) -> datetime:
    """Return when a node last became Ready, or ceased to be.

    Raises LabError where it never said.
    """
    for condition in node.status.conditions or []:
        if condition.type == "Ready":
            changed: datetime = condition.last_transition_time
            return changed
    raise LabError(f"The node {node.metadata.name} has no condition Ready.", "Run `lab status`.")


def internal_address(node: Any) -> str:
    """Return the address of a node within its cluster; empty where Kubernetes knows none."""
    addresses = node.status.addresses or []
    return next((str(entry.address) for entry in addresses if entry.type == "InternalIP"), "")


def is_replaced(pod: Any) -> bool:
    """Tell whether a pod has failed for good; its controller has made another, and leaves it."""
    owned = any(owner.controller for owner in pod.metadata.owner_references or [])
    return bool(owned and pod.status.phase == "Failed")
