"""Labels of the Docker objects of a lab: what it is of, and whose it is.

All that is known of a lab stands in them. All users of one engine see each other's
labs, and must not remove them by mistake.
"""

import os
import pwd
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import docker
from docker.errors import NotFound

from lab.console.errors import LabError
from lab.nodes.state import StateDirectory
from lab.providers.provider import ForeignLabError

LAB = "blackstart.lab"
"""Name of the lab: on containers, volumes and networks."""
ROLE = "blackstart.role"
"""Role of the node: on its container."""
HOST = "blackstart.host"
"""Host name of the node: on its container and its volumes."""
DISTRIBUTION = "blackstart.distribution"
"""What the cluster is made of: on containers."""
OWNER = "blackstart.owner"
"""Name of the user who made it: on containers, volumes and networks."""
UID = "blackstart.uid"
"""Number of that user, which tells users apart: beside the name."""
UNKNOWN = "unknown"
"""The owner of what earlier releases made, which wrote none down."""


def of_lab(lab: str) -> dict[str, Any]:
    """Return the engine's filter for the objects of a lab."""
    return {"label": f"{LAB}={lab}"}


def of_new(lab: str) -> dict[str, str]:
    """Return the labels of every object that is made for a lab now."""
    return {LAB: lab, OWNER: _user(), UID: str(os.getuid())}


def everything(client: docker.DockerClient, lab: str) -> list[Any]:
    """Return what the engine has of a lab: containers, volumes, networks."""
    filters = of_lab(lab)
    return [
        *client.containers.list(all=True, filters=filters, ignore_removed=True),
        *client.volumes.list(filters=filters),
        *client.networks.list(filters=filters),
    ]


def refuse_foreign(things: Iterable[Any], state: StateDirectory, owner: str = "") -> None:
    """Raise ForeignLabError where one of the lab's `things` is not this user's.

    `owner` names another user whose lab is meant. What has no owner is this user's
    where the state directory has the lab's key.
    """
    for thing in things:
        found = _of(thing)
        whose = found.get(OWNER, UNKNOWN)
        uid = found.get(UID, "")
        own = uid == str(os.getuid()) if uid else state.ssh.key.exists()
        if whose == owner if owner else own:
            continue
        says = (
            f"is that of the user {whose} (uid {uid}), not of {_user()}"
            if uid
            else f"does not say whose it is, and {state.directory} has no key of it"
        )
        raise ForeignLabError(
            f"The lab {state.name!r} on this engine {says}.",
            "Give a lab of your own another name with --name. To remove this one all the "
            f"same: lab down --name {state.name} --of {whose}",
        )


def refuse_taken(kind: str, collection: Any, names: Iterable[str], lab: str) -> None:
    """Raise LabError where one of `names` is that of an object that is not the lab's."""
    for name in names:
        with suppress(NotFound):
            thing = collection.get(name)
            of = _of(thing).get(LAB)
            # The engine finds a thing by the beginning of its number, too.
            if of == lab or thing.name != name:
                continue
            raise LabError(
                f"A {kind} {f'of the lab {of!r}' if of else 'that is not of this kit'} is already "
                f"called {name}.",
                "Give the lab another name with --name.",
            )


def _of(thing: Any) -> Mapping[str, str]:
    """Return the labels of a container, a volume or a network."""
    found: Mapping[str, str] | None = (thing.attrs.get("Config") or thing.attrs).get("Labels")
    return found or {}


def _user() -> str:
    """Return the name of the user that this process runs as, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # A container's user may have no name.
        return str(os.getuid())
