"""Which Docker engine the user means, and whether it can carry a lab."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker.context import ContextAPI
from docker.context.config import get_current_context_name

from lab.console.errors import LabError

DEFAULT = "default"
"""The context that is no context: this machine's own engine."""
OLDEST_API = (1, 41)
"""Of Docker 20.10, the first that gives a container a cgroup namespace of its own."""
INSTEAD = (
    "Install Docker's own engine (apt-get install docker.io), add this user to the group docker, "
    "and run the command with DOCKER_HOST=unix:///var/run/docker.sock."
)


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """The socket of an engine."""

    url: str | None
    """Its address, unix://PATH; None where the user has named none."""
    origin: str
    """What names it, for a sentence; empty where nothing does."""


def chosen() -> EngineChoice:
    """Return the engine that DOCKER_HOST, DOCKER_CONTEXT or `docker context use` names.

    They count in this order, as for the program docker. Raises LabError where it is not on
    this machine, or where there is no context of that name.
    """
    if host := os.environ.get("DOCKER_HOST"):
        origin = f"DOCKER_HOST={host}"
        return _local(host, origin, "Run the command without it: env -u DOCKER_HOST lab ...")
    context = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
    if not context or context == DEFAULT:
        return EngineChoice(url=None, origin="")
    by = "DOCKER_CONTEXT" if os.environ.get("DOCKER_CONTEXT") else "`docker context use`"
    cure = f"Run the command with this machine's own engine: DOCKER_CONTEXT={DEFAULT} lab ..."
    try:
        found = ContextAPI.get_context(context)
        host = found.Host if found else ""
    except Exception as error:  # docker-py raises Exception itself for a damaged file
        raise LabError(
            f"The Docker context {context!r}, chosen by {by}, can't be read.",
            cure,
            evidence=str(error),
        ) from None
    if not host:
        raise LabError(f"There is no Docker context {context!r}, which {by} chooses.", cure)
    return _local(host, f"the Docker context {context!r} ({host}), chosen by {by}", cure)


def refuse_unfit(info: Mapping[str, Any], version: Mapping[str, Any], origin: str) -> None:
    """Raise LabError where an engine can't carry a lab, by what it says of itself."""
    if why := _unfit(info, version):
        where = f" ({origin})" if origin else ""
        raise LabError(f"The Docker engine that answers{where} {why}", INSTEAD)


def _local(host: str, origin: str, cure: str) -> EngineChoice:
    if host.startswith("unix://"):
        return EngineChoice(url=host, origin=origin)
    raise LabError(
        f"{origin[0].upper()}{origin[1:]} names another engine than this machine's own: nodes on "
        "it could neither be reached nor see the artefact cache.",
        cure,
    )


def _unfit(info: Mapping[str, Any], version: Mapping[str, Any]) -> str | None:
    """Return the end of a sentence that begins with the engine."""
    options = " ".join(info.get("SecurityOptions") or [])
    components = " ".join(str(part.get("Name")) for part in version.get("Components") or [])
    kernel, own = info.get("KernelVersion"), os.uname().release
    api = str(version.get("ApiVersion") or "1.41")
    found = (
        (
            "podman" in components.lower(),
            "is Podman, whose networks and systemd containers differ from what a node takes.",
        ),
        (
            "name=rootless" in options,
            "is rootless: its networks can't be reached from this machine, and its containers may "
            "not do what a Kubernetes node does.",
        ),
        (
            "name=userns" in options,
            "remaps users (userns-remap in /etc/docker/daemon.json), and a Kubernetes node needs "
            "the machine's own root.",
        ),
        (
            bool(kernel) and kernel != own,
            f"runs in a virtual machine (kernel {kernel}, here {own}), as Docker Desktop does: "
            "nodes on it could not be reached.",
        ),
        (
            str(info.get("DockerRootDir")).startswith("/var/snap/"),
            "is a snap, which does not see the artefact cache in a hidden directory.",
        ),
        (
            tuple(int(part) for part in api.split(".")[:2]) < OLDEST_API,
            f"is too old (API {api}): nodes need Docker 20.10 or newer.",
        ),
    )
    return next((why for is_so, why in found if is_so), None)
