"""openPDC's image: mono and the program that the user laid into the cache, else the publisher's.

The program is a tar of the folder that has openPDC.exe, built for mono, at
`<cache>/openpdc/<version>/any/openPDC.tar.gz`. It holds no machine code.
"""

import re
import tarfile
from dataclasses import dataclass

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.images import build, hub, upstream

UPSTREAM = "docker.io/gridprotectionalliance/openpdc:v2.9.148"
"""The publisher's image, which has the program in /opt/openPDC."""
_FILE = "openPDC.tar.gz"
_PROGRAM = "openPDC.exe"


@dataclass(frozen=True, kw_only=True)
class Openpdc:
    """The image, in the cache."""

    name: str
    """Its name with tag."""
    version: str
    """openPDC's version, as the folder in the cache or the publisher's tag has it."""
    archive: Artefact
    """The archive to import."""


def image(*, arch: str, cache: Cache, job: Job) -> Openpdc:
    """Return openPDC's image; raises LabError where it can't be had."""
    program = laid_in(cache)
    if program is not None:
        sources = _sources(program, cache)
        layer = build.bundle("openpdc", [sources], arch=arch, cache=cache, job=job)
        return Openpdc(name=sources.names[0], version=program.version, archive=layer)
    pulled = _pulled(arch)
    cure = f"Check the network, lay the program in as {_place(cache)}, or set lab_pdc to grid."
    cache.get_or_make(
        pulled,
        lambda target: upstream.pull(UPSTREAM, target, arch=arch, job=job, cure=cure),
        notify=job.update,
    )
    return Openpdc(name=UPSTREAM, version=pulled.version, archive=pulled)


def check_available(arch: str, cache: Cache) -> str:
    """Return in a few words where the image will come from; raises LabError where from nowhere."""
    program = laid_in(cache)
    if program is not None:
        _check(program, cache)
        return f"openPDC {program.version}, laid into the cache"
    if cache.find(_pulled(arch)) is not None:
        return f"{UPSTREAM}, in the cache"
    if hub.answers():
        return f"{UPSTREAM}, from its registry"
    raise LabError(
        "lab_pdc is openpdc, but there is no openPDC: the cache has no program, and the registry "
        f"of {UPSTREAM} does not answer.",
        f"Lay a tar of the folder with {_PROGRAM}, built for mono, into the cache as "
        f"{_place(cache)}; or set lab_pdc to grid.",
    )


def needs_root(arch: str, cache: Cache) -> bool:
    """Tell whether `image` may have to unpack Debian's packages, which only root can."""
    program = laid_in(cache)
    if program is None:
        return False
    return build.needs_root("openpdc", [_sources(program, cache)], arch=arch, cache=cache)


def laid_in(cache: Cache) -> Artefact | None:
    """Return the program that lies in the cache, the newest where there are several."""
    found = [
        Artefact(name="openpdc", version=path.parts[-3], arch="any", file=_FILE)
        for path in cache.root.glob(f"openpdc/*/any/{_FILE}")
    ]
    return max(found, key=lambda one: _numbers(one.version), default=None)


def _sources(program: Artefact, cache: Cache) -> build.Sources:
    if _check(program, cache):
        cache.adopt(program, made="laid into the cache, unchecked")
    return build.gather("openpdc", version=program.version, cache=cache, programs=[program])


def _check(program: Artefact, cache: Cache) -> bool:
    """Tell whether the file is new to the cache; LabError where it has no program at its top."""
    if cache.find(program) is not None:
        return False
    path = cache.path(program)
    try:
        with tarfile.open(path, "r:gz") as tar:
            names = {name.removeprefix("./") for name in tar.getnames()}
    except (OSError, EOFError, tarfile.TarError) as error:
        names, why = set(), str(error)
    else:
        why = f"it has no {_PROGRAM} at its top"
    if _PROGRAM not in names:
        raise LabError(
            f"{path} is not openPDC: {why}.",
            f"Make it again of the folder that has {_PROGRAM}: tar -C FOLDER -czf {_FILE} .",
        )
    return True


def _pulled(arch: str) -> Artefact:
    version = UPSTREAM.rpartition(":v")[2]
    return Artefact(name="image-openpdc", version=version, arch=arch, file="image.tar")


def _place(cache: Cache) -> str:
    return str(cache.root / "openpdc" / "VERSION" / "any" / _FILE)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
