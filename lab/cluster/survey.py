"""Everything that a lab can be asked, asked at once: a part that is dead costs its own limit."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from kubernetes import client

from lab.cluster import api, etcd
from lab.cluster.api import NAMESPACE, SSH_TIMEOUT_S, Cluster, is_ready
from lab.cluster.endpoints import STREAM_ENDPOINTS
from lab.cluster.frames import FrameRate, frame_rates
from lab.cluster.lab import Lab
from lab.host.command import CommandError
from lab.nodes import mark
from lab.nodes.mark import LabMark
from lab.nodes.node import Node
from service import threads

REQUEST_LIMIT_S = 4.0
"""For one request to one API server, which answers in some milliseconds."""
ANSWER_LIMIT_S = 6.5
"""For all that is asked of one machine; with that for etcd, status ends within 15 s."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What the parts of a lab answered."""

    mark: LabMark | None
    """The mark of the first running node that has one."""
    unreachable: Mapping[str, str]
    """Running nodes that don't answer to SSH: name to the reason."""
    nodes: Mapping[str, Any]
    """The Node objects by name; empty where no API server answered."""
    pods: tuple[Any, ...]
    """The Pod objects of the workloads."""
    kubeconfig: bool
    """Whether this machine has a kubeconfig, or a server gave it one."""
    answered: bool
    """Whether an API server told of nodes and pods."""
    api_problems: Mapping[str, str]
    """Running servers whose API gave no answer: name to the reason."""
    frames: tuple[FrameRate, ...]
    """What a consumer outside receives."""


def survey(lab: Lab) -> Survey:
    """Ask the nodes, the API servers and the PDCs of `lab`, all at the same time."""
    deadline = time.monotonic() + ANSWER_LIMIT_S
    frames = threads.submit(partial(frame_rates, lab.running_nodes), "frames")
    said = _ask(_mark_of, {node.name: node for node in lab.running_nodes})
    servers = [node for node in lab.cluster.servers if node.name in lab.running]
    kubeconfigs = threads.submit(partial(_kubeconfigs, lab.cluster, servers), "kubeconfigs")
    without = _result(kubeconfigs, deadline)
    if isinstance(without, Exception):
        answers: Mapping[str, Any] = {server.name: without for server in servers}
    else:
        asked = _ask(partial(_objects, lab.cluster), {server.name: server for server in servers})
        answers = {name: _result(future, deadline) for name, future in asked.items()}
    told = [answer for answer in answers.values() if not isinstance(answer, Exception)]
    nodes, pods = told[0] if told else ({}, ())
    marks = {name: _result(future, deadline) for name, future in said.items()}
    rates = _result(frames, deadline)
    return Survey(
        mark=next((found for found in marks.values() if isinstance(found, LabMark)), None),
        unreachable={
            name: why for name, found in marks.items() if (why := _unreachable(found)) is not None
        },
        nodes=nodes,
        pods=pods,
        kubeconfig=not isinstance(without, Exception),
        answered=bool(told),
        api_problems={
            name: api.why(answer)
            for name, answer in answers.items()
            if isinstance(answer, Exception)
        },
        frames=_no_frames(rates) if isinstance(rates, Exception) else rates,
    )


def etcd_members(lab: Lab) -> tuple[etcd.Member, ...]:
    """Return what the etcd members of the running servers say of themselves, all asked at once."""
    deadline = time.monotonic() + SSH_TIMEOUT_S
    servers = {node.name: node for node in lab.cluster.servers if node.name in lab.running}
    answers = [_result(future, deadline) for future in _ask(etcd.member, servers).values()]
    return tuple(answer for answer in answers if isinstance(answer, etcd.Member))


def _ask(
    question: Callable[[Node], _Answer], nodes: Mapping[str, Node]
) -> dict[str, "Future[_Answer]"]:
    return {
        name: threads.submit(partial(question, node), f"ask {name}") for name, node in nodes.items()
    }


def _result(future: "Future[Any]", deadline: float) -> Any:
    """Return the answer, or in its place why there is none; nothing is raised."""
    try:
        return future.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return TimeoutError(f"no answer within {ANSWER_LIMIT_S:g} s")
    except Exception as error:  # a status must survive whatever a broken lab answers
        return error


def _mark_of(node: Node) -> LabMark | None:
    """Return the node's mark, None where it has none; raises CommandError without SSH."""
    said = node.run(["cat", mark.PATH], timeout_s=SSH_TIMEOUT_S, check=False)
    if said.returncode in (124, 255):  # this machine's limit, and ssh's own errors
        raise CommandError(said)
    return LabMark.parse(said.stdout) if said.returncode == 0 else None


def _unreachable(answer: object) -> str | None:
    if isinstance(answer, CommandError):
        lines = answer.result.stderr.strip().splitlines()
        return lines[-1] if lines else "no answer"
    return str(answer) if isinstance(answer, Exception) else None


def _no_frames(error: Exception) -> tuple[FrameRate, ...]:
    return tuple(
        FrameRate(name=endpoint.name, frames_per_s=0.0, address="", problem=str(error))
        for endpoint in STREAM_ENDPOINTS
    )


def _kubeconfigs(cluster: Cluster, servers: list[Node]) -> None:
    """Fetch the kubeconfigs where one is missing; raises LabError where no server has one."""
    for server in servers:
        cluster.kubeconfig(server.name)


def _objects(cluster: Cluster, server: Node) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return the Node objects by name, and the pods of the workloads, as `server` knows them."""
    core = client.CoreV1Api(cluster.api_of(server.name))
    nodes = core.list_node(_request_timeout=REQUEST_LIMIT_S).items
    pods = core.list_namespaced_pod(NAMESPACE, _request_timeout=REQUEST_LIMIT_S).items
    # What is no list of whole objects fails here, and not where it is shown.
    for pod in pods:
        _ = (is_ready(pod), pod.metadata.name, pod.spec.node_name)
    for node in nodes:
        _ = (is_ready(node), node.status.node_info.kubelet_version)
    return {str(node.metadata.name): node for node in nodes}, tuple(pods)
