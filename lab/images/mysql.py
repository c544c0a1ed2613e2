"""The MySQL image: its publisher's, where the registry answers, else Debian's packages."""

from dataclasses import dataclass

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.images import build, debian, hub, recipe, upstream

UPSTREAM = "docker.io/library/mysql:8.4"
"""The publisher's image."""
_OLDEST = (8, 4)
_PULL_CURE = "Check the network, or set lab_mysql_source to packages."


@dataclass(frozen=True, kw_only=True)
class Mysql:
    """The image, in the cache."""

    name: str
    """Its name with tag."""
    version: str
    """MySQL's version."""
    source: str
    """upstream or packages."""
    archive: Artefact
    """The archive to import."""


def image(source: str, *, arch: str, cache: Cache, job: Job) -> Mysql:
    """Return MySQL's image by `source`: auto, upstream or packages.

    `auto` keeps to what the cache has; with an empty cache it takes the publisher's
    where the registry answers in time.
    """
    pulled = _pulled(arch)
    if source == "auto":
        packages = debian.find(_debian(), arch=arch, cache=cache)
        if cache.find(pulled) is not None:
            source = "upstream"
        elif packages is not None or not hub.answers():
            source = "packages"
        else:
            source = "upstream"
    if source == "upstream":
        cache.get_or_make(
            pulled,
            lambda target: upstream.pull(UPSTREAM, target, arch=arch, job=job, cure=_PULL_CURE),
            notify=job.update,
        )
        return Mysql(name=UPSTREAM, version="8.4", source=source, archive=pulled)
    return _from_packages(arch, cache, job)


def needs_root(source: str, *, arch: str, cache: Cache) -> bool:
    """Tell whether `image` may have to unpack Debian's packages, which only root can."""
    if source == "upstream" or debian.find(_debian(), arch=arch, cache=cache) is not None:
        return False
    return source == "packages" or cache.find(_pulled(arch)) is None


def _pulled(arch: str) -> Artefact:
    return Artefact(name="image-mysql", version="8.4", arch=arch, file="image.tar")


def _from_packages(arch: str, cache: Cache, job: Job) -> Mysql:
    layer = debian.layer(_debian(), arch=arch, cache=cache, job=job)
    version = debian.version(layer, "mysql-server-core", cache=cache)
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise LabError(
            f"Debian sid has MySQL {version}; the lab needs 8.4 or newer.",
            "Set lab_mysql_source to upstream.",
        )
    sources = build.gather("mysql", version=version, cache=cache)
    archive = build.bundle("mysql", [sources], arch=arch, cache=cache, job=job)
    return Mysql(name=sources.names[0], version=version, source="packages", archive=archive)


def _debian() -> recipe.Debian:
    found = recipe.load("mysql").debian
    assert found is not None  # noqa: S101 - the recipe is ours
    return found
