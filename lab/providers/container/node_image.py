"""The image of container nodes: Debian with systemd, SSH, containerd and HAProxy."""

import docker

from lab.artefacts import Artefact, Cache
from lab.artefacts.cache import machine_architecture
from lab.artefacts.jobs import Job
from lab.console.progress import Progress
from lab.images import build
from lab.providers.container import engine_images

_LIMIT_S = 900.0


def archive(cache: Cache, job: Job) -> Artefact:
    """Return the node image's archive, made where the cache has none."""
    return build.bundle(
        "node", [_sources(cache)], arch=machine_architecture(), cache=cache, job=job
    )


def needs_root(cache: Cache) -> bool:
    """Tell whether `archive` would have to unpack Debian's packages, which only root can."""
    return build.needs_root("node", [_sources(cache)], arch=machine_architecture(), cache=cache)


def ensure(client: docker.DockerClient, cache: Cache, progress: Progress) -> str:
    """Return the node image's name, after loading it into the engine where it lacks it."""
    name = _sources(cache).names[0]
    if not engine_images.present(client, name):
        with progress.step("Load the node image into the Docker engine", limit_s=_LIMIT_S) as step:
            made = archive(cache, Job("node image", notify=step.update))
            engine_images.load(client, cache.path(made), name, limit_s=_LIMIT_S)
    return name


def _sources(cache: Cache) -> build.Sources:
    return build.gather("node", version="1", cache=cache)
