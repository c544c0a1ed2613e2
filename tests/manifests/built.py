"""The manifests as kubectl builds them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.artefacts import Cache

ROOT = Path(__file__).parents[2]
WORKLOADS = ROOT / "workloads"
ROLE = ROOT / "playbooks" / "roles" / "workloads"
Object = dict[str, Any]


def kubectl(directory: Path) -> list[Path | str]:
    """Return a kubectl: that of this machine, or the one that is part of a cached binary."""
    if found := shutil.which("kubectl"):
        return [Path(found)]
    if built := sorted(Cache().root.glob("kubernetes/*/*/kubernetes")):
        link = directory / "kubectl"
        link.symlink_to(built[-1])
        return [link]
    if released := sorted(Cache().root.glob("k3s/*/*/k3s")):
        return [released[-1], "kubectl"]
    pytest.fail("needs kubectl, or a lab's Kubernetes in the artefact cache: run `lab up` first")


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    return {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] == kind}


def containers(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    for name, deployment in of_kind(objects, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            yield name, container
