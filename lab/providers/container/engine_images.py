"""Images of the local Docker engine: loaded from archives, pulled from registries."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import requests

from lab.console.errors import LabError


def present(client: docker.DockerClient, name: str) -> bool:
    """Tell whether the engine has an image of that name."""
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def load(client: docker.DockerClient, archive: Path, name: str, *, limit_s: float) -> None:
    """Load an archive into the engine; raise LabError unless it brings `name` in `limit_s`."""
    try:
        with archive.open("rb") as file, _patient(client, limit_s):
            client.images.load(file)
    except (docker.errors.DockerException, requests.RequestException) as error:
        hint = "The disk that holds Docker's data is full." if "no space" in str(error) else ""
        if isinstance(error, requests.Timeout):
            hint = f"It did not within {limit_s:g} s: its disk is slow, or busy. Run it again."
        raise LabError(
            f"The Docker engine did not take the image {name} from {archive}.",
            hint or "Look into the engine's log (journalctl -u docker).",
            evidence=str(error),
        ) from error
    if not present(client, name):
        raise LabError(
            f"The Docker engine took {archive}, but has no image {name} now.",
            f"Delete {archive.parent} and run it again.",
        )


@contextlib.contextmanager
def _patient(client: docker.DockerClient, limit_s: float) -> Iterator[None]:
    """Let requests take `limit_s`: the engine answers when it has unpacked the image."""
    before = client.api.timeout
    client.api.timeout = int(limit_s)
    try:
        yield
    finally:
        client.api.timeout = before
