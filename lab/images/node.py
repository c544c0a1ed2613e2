"""The image of the lab's nodes: Debian with systemd, SSH, containerd and HAProxy."""

import docker

from lab.artefacts.cache import Cache, machine_architecture
from lab.artefacts.jobs import Job
from lab.images import build, engine, recipe


def node_image(cache: Cache, job: Job, *, client: docker.DockerClient) -> str:
    """Return the node image's name, after making and loading it where it is absent."""
    sources = build.Sources(recipe=recipe.load("node"), version="1", programs={})
    name = sources.names[0]
    if not engine.present(client, name):
        artefact = build.bundle(
            "node", [sources], arch=machine_architecture(), cache=cache, job=job
        )
        job.say("loading it into the Docker engine")
        engine.load(client, cache.path(artefact), name)
    return name
