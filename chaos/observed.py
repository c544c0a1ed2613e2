"""What there is of a lab: the facts that the invariants are judged by."""

import contextlib
import ctypes
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException

from lab.cluster.lab import Lab, find
from lab.cluster.snapshots import MEMBERS
from lab.console.errors import LabError
from lab.faults import healing
from lab.host.command import CommandError, run
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory
from lab.providers.container import engine, labels

ENGINE = ("containerd", "docker", "runc")
"""What the names of the engine's programs begin with: `lab up` may start them, and they stay."""
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A lab that is said to be up."""

    status: Mapping[str, Any]
    """What `lab status --json` says."""
    uids: Mapping[str, str]
    """Server to the UID of the namespace kube-system as its own API has it, or why it has none."""
    members: Mapping[str, tuple[str, ...]]
    """Server to the members that its etcd knows, sorted; a learner has a word after its name."""
    nodes: tuple[str, ...]
    """The Node objects, sorted."""
    containers: tuple[str, ...]
    """Containers of the lab, by their host names, sorted."""
    faults: Mapping[str, tuple[str, ...]]
    """Node to what faults have left on it."""


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What is left of a lab that is said to be down."""

    things: tuple[str, ...]
    """Containers, volumes, networks, files, rules and processes, each in words."""


def cluster(name: str, status: str) -> Cluster:
    """Look at the lab called `name`; raises LabError where nothing of it answers."""
    lab = find(name)
    return Cluster(
        status=json.loads(status),
        uids={server.name: _uid(lab, server) for server in lab.cluster.servers},
        members={server.name: _members(server) for server in lab.cluster.servers},
        nodes=tuple(sorted(node.metadata.name for node in lab.cluster.list_nodes())),
        containers=tuple(sorted(node.name for node in lab.nodes)),
        faults={node.name: _faults(node) for node in lab.nodes},
    )


def containers(name: str) -> list[str]:
    """Return the lab's containers with their states, for somebody who reads them."""
    found = engine.connect().containers.list(all=True, filters=labels.of_lab(name))
    return sorted(f"{container.name}: {container.status}" for container in found)


def remains(name: str, temporary: Path) -> Remains:
    """Look for what is left of the lab called `name`, whose commands had `temporary`."""
    things = [*_engine_objects(name), *_files(name), *_rules(name)]
    things += [f"temporary file {path}" for path in sorted(temporary.iterdir())]
    things += [f"process {_said(process)}" for process in orphans()]
    return Remains(things=tuple(things))


def adopt_orphans() -> None:
    """Become the parent of what the kit's commands leave behind, so that it is found."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def orphans() -> list[psutil.Process]:
    """Return what still runs of all that this process and its children started."""
    left = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
            elif not process.name().startswith(ENGINE):
                left.append(process)
    return left


def _uid(lab: Lab, server: Node) -> str:
    try:
        core = client.CoreV1Api(lab.cluster.api_of(server.name))
        return str(core.read_namespace("kube-system", _request_timeout=5).metadata.uid)
    except (ApiException, ConfigException, LabError, urllib3.exceptions.HTTPError) as error:
        return f"no answer: {str(error).splitlines()[0]}"


def _members(server: Node) -> tuple[str, ...]:
    script = MEMBERS.read_text()
    answer = server.run(["python3", "-", "list"], stdin=script, timeout_s=20, check=False)
    try:
        found = json.loads(answer.stdout)
    except ValueError:
        return (f"no answer: {(answer.stderr or answer.stdout).strip()}",)
    return tuple(
        sorted(
            member.get("name", "unnamed") + (" (learner)" if member.get("isLearner") else "")
            for member in found
        )
    )


def _faults(node: Node) -> tuple[str, ...]:
    try:
        return healing.remains(node)
    except CommandError as error:
        return (f"no answer: {error}",)


def _engine_objects(name: str) -> list[str]:
    """Return what the engine has with the lab's label, or with its name before a dash."""
    docker = engine.connect()
    found: dict[str, list[Any]] = {
        "container": docker.containers.list(all=True),
        "volume": docker.volumes.list(),
        "network": docker.networks.list(),
    }
    return [
        f"{kind} {thing.name}"
        for kind, things in found.items()
        for thing in things
        if _is_of(name, str(thing.name), thing.attrs)
    ]


def _is_of(name: str, called: str, attrs: Mapping[str, Any]) -> bool:
    labelled = attrs.get("Labels") or (attrs.get("Config") or {}).get("Labels") or {}
    if labels.LAB in labelled:
        return bool(labelled[labels.LAB] == name)
    return called == name or called.startswith(f"{name}-")


def _files(name: str) -> list[str]:
    """Return the lab's state directory, and the files beside it that have its name."""
    directory = StateDirectory(name).directory
    found = [*directory.parent.glob(name), *directory.parent.glob(f"{name}.*")]
    return [f"file {path}" for path in sorted(found)]


def _rules(name: str) -> list[str]:
    """Return this machine's firewall rules that name the lab; none where nobody may look."""
    if os.geteuid() != 0:
        return []
    return [
        f"rule {line}"
        for program in ("iptables-save", "ip6tables-save")
        if shutil.which(program)
        for line in run([program], check=False).stdout.splitlines()
        if re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", line)
    ]


def _said(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return f"{process.pid} {' '.join(process.cmdline())[:200]}"
    return f"{process.pid}, which has just ended"
