"""Images of software that is no part of the kit.

They are made of what the user laid into the cache, or are the publisher's where that is nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.images import build, hub, upstream

ANY = "any"
"""The architecture of what holds no machine code."""


@dataclass(frozen=True, kw_only=True)
class ForeignImage:
    """The image, in the cache."""

    name: str
    """Its name with tag."""
    version: str
    """The software's version, as the folder in the cache or the publisher's tag has it."""
    archive: Artefact
    """The archive to import."""


@dataclass(frozen=True, kw_only=True)
class ForeignSoftware:
    """Software that a setting chooses in the place of the kit's own.

    What the user lays in is `<cache>/<program>/<version>/<architecture>/<file>`.
    """

    name: str
    """The folder of its recipe, and its key among a lab's images."""
    title: str
    """How messages call it."""
    program: str
    """The name of the artefact that the user lays in."""
    file: str
    """The file's own name."""
    machine_code: bool
    """Whether the file runs on one architecture only."""
    kind: str
    """What the file is, with its article."""
    defect: Callable[[Path, str], str]
    """Says why a file is not the program for an architecture; nothing where it is."""
    remake: str
    """How to make a file that is."""
    upstream: str
    """The publisher's image, with its tag."""
    setting: str
    """The setting that chooses it; its value `grid` does not."""

    def image(self, *, arch: str, cache: Cache, job: Job) -> ForeignImage:
        """Return the image; raises LabError where it can't be had."""
        program = self._laid_in(arch, cache)
        if program is not None:
            sources = self._sources(program, arch, cache)
            layer = build.bundle(self.name, [sources], arch=arch, cache=cache, job=job)
            return ForeignImage(name=sources.names[0], version=program.version, archive=layer)
        pulled = self._pulled(arch)
        place = self._place(arch, cache)
        cure = f"Check the network, lay the program in as {place}, or set {self.setting} to grid."
        cache.get_or_make(
            pulled,
            lambda target: upstream.pull(self.upstream, target, arch=arch, job=job, cure=cure),
            notify=job.update,
        )
        return ForeignImage(name=self.upstream, version=pulled.version, archive=pulled)

    def check_available(self, arch: str, cache: Cache) -> str:
        """Return in a few words where the image will come from; LabError where from nowhere."""
        program = self._laid_in(arch, cache)
        if program is not None:
            self._check(program, arch, cache)
            return f"{self.title} {program.version}, laid into the cache"
        if cache.find(self._pulled(arch)) is not None:
            return f"{self.upstream}, in the cache"
        if hub.answers():
            return f"{self.upstream}, from its registry"
        raise LabError(
            f"{self.setting} asks for {self.title}, but there is none: the cache has no program, "
            f"and the registry of {self.upstream} does not answer.",
            f"Lay {self.kind} into the cache as {self._place(arch, cache)}; or set {self.setting} "
            "to grid.",
        )

    def needs_root(self, arch: str, cache: Cache) -> bool:
        """Tell whether `image` may have to unpack Debian's packages, which only root can."""
        program = self._laid_in(arch, cache)
        if program is None:
            return False
        sources = self._sources(program, arch, cache)
        return build.needs_root(self.name, [sources], arch=arch, cache=cache)

    def _laid_in(self, arch: str, cache: Cache) -> Artefact | None:
        """Return the program that lies in the cache, the newest where there are several."""
        folder = arch if self.machine_code else ANY
        found = [
            Artefact(name=self.program, version=path.parts[-3], arch=folder, file=self.file)
            for path in cache.root.glob(f"{self.program}/*/{folder}/{self.file}")
        ]
        return max(found, key=lambda one: _numbers(one.version), default=None)

    def _sources(self, program: Artefact, arch: str, cache: Cache) -> build.Sources:
        if self._check(program, arch, cache):
            cache.adopt(program, made="laid into the cache, unchecked")
        return build.gather(self.name, version=program.version, cache=cache, programs=[program])

    def _check(self, program: Artefact, arch: str, cache: Cache) -> bool:
        """Tell whether the file is new to the cache; LabError where it is not the program."""
        if cache.find(program) is not None:
            return False
        path = cache.path(program)
        if defect := self.defect(path, arch):
            raise LabError(f"{path} is not {self.title}: {defect}.", self.remake)
        return True

    def _pulled(self, arch: str) -> Artefact:
        version = self.upstream.rpartition(":")[2].removeprefix("v")
        return Artefact(name=f"image-{self.name}", version=version, arch=arch, file="image.tar")

    def _place(self, arch: str, cache: Cache) -> str:
        folder = arch if self.machine_code else ANY
        return str(cache.root / self.program / "VERSION" / folder / self.file)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
