"""The image of the lab's nodes: Debian with systemd, SSH, containerd and HAProxy."""

from lab.artefacts.cache import Artefact, Cache, machine_architecture
from lab.artefacts.jobs import Job
from lab.config.settings import Settings
from lab.console.progress import Progress
from lab.images import build
from lab.providers.container import engine as host_engine
from lab.providers.container import engine_images as engine

_LIMIT_S = 900.0


def archive(cache: Cache, job: Job) -> Artefact:
    """Return the node image's archive, made where the cache has none."""
    return build.bundle(
        "node", [_sources(cache)], arch=machine_architecture(), cache=cache, job=job
    )


def node_image(settings: Settings, cache: Cache, progress: Progress) -> str:
    """Return the node image's name, after loading it into the engine where it lacks it."""
    del settings  # One image serves every lab.
    name = _sources(cache).names[0]
    client = host_engine.connect()
    if not engine.present(client, name):
        with progress.step("Load the node image into the Docker engine", limit_s=_LIMIT_S) as step:
            engine.load(client, cache.path(archive(cache, Job("node image", say=step.say))), name)
    return name


def _sources(cache: Cache) -> build.Sources:
    return build.gather("node", version="1", cache=cache)
