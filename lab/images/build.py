"""From a recipe to an image: its layers, its digest, its names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.config.files import PACKAGES
from lab.images import archive, debian, layers
from lab.images.recipe import Recipe, load

_FORMAT = "1"
"""Changes when the code here makes another image of the same recipe and files."""
_KEPT_S = 3 * 24 * 3600.0
"""How long the archive of an image that has changed since is kept."""
_SKIP = ("__pycache__", "*.pyc", "*.md", ".*")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """A recipe with the files that it names, all at hand."""

    recipe: Recipe
    """The recipe."""
    version: str
    """The version of what the image is for; `{version}` in its names."""
    programs: Mapping[str, Path]
    """Artefact name: its file in the cache."""
    digests: Mapping[str, str]
    """Artefact name: its file's digest."""

    @property
    def digest(self) -> str:
        """Return the digest of everything that decides what the image holds."""
        digest = hashlib.sha256(f"{_FORMAT}\0{self.version}\0".encode())
        digest.update(self.recipe.model_dump_json().encode())
        if self.recipe.debian is not None:
            digest.update(debian.digest(self.recipe.debian).encode())
        for name in sorted(set(self.recipe.programs.values())):
            digest.update(f"{name}\0{self.digests[name]}\0".encode())
        for source in self._copied():
            for path in _files(source):
                mode = path.lstat().st_mode & 0o100
                digest.update(f"{path.relative_to(source)}\0{mode}\0".encode())
                link = path.is_symlink()
                digest.update(str(path.readlink()).encode() if link else path.read_bytes())
        return digest.hexdigest()

    @property
    def names(self) -> Sequence[str]:
        """Return the image's names with tags."""
        digest = self.digest[:12]
        return [name.format(digest=digest, version=self.version) for name in self.recipe.names]

    def _copied(self) -> Sequence[Path]:
        rootfs = self.recipe.folder / "rootfs"
        copied = [PACKAGES / source for source in self.recipe.copies.values()]
        return [*copied, rootfs] if rootfs.is_dir() else copied


def gather(
    folder: str,
    *,
    version: str,
    cache: Cache,
    programs: Sequence[Artefact] = (),
    names: Sequence[str] = (),
) -> Sources:
    """Return the recipe of `images/<folder>` with the files that it takes from the cache.

    `names` take the place of the recipe's own.
    """
    found = {artefact.name: artefact for artefact in programs}
    recipe = load(folder)
    if names:
        recipe = recipe.model_copy(update={"names": list(names)})
    wanted = {name: found[name] for name in set(recipe.programs.values())}
    records = {name: cache.record(artefact) for name, artefact in wanted.items()}
    return Sources(
        recipe=recipe,
        version=version,
        programs={name: cache.path(artefact) for name, artefact in wanted.items()},
        digests={name: record.sha256 if record else "" for name, record in records.items()},
    )


def bundle(name: str, images: Sequence[Sources], *, arch: str, cache: Cache, job: Job) -> Artefact:
    """Return the artefact of one archive with all of `images`, written where it is absent."""
    artefact = _archive(name, images, arch)

    def make(target: Path) -> str:
        own: list[Path] = []
        written: list[archive.Image] = []
        try:
            for image in images:
                parts = []
                if image.recipe.debian is not None:
                    layer = debian.layer(image.recipe.debian, arch=arch, cache=cache, job=job)
                    parts.append(cache.path(layer))
                own.append(target.with_name(f"{target.name}.{len(own)}"))
                job.update(f"writing {image.names[0]}")
                _own_layer(image, own[-1])
                written.append(
                    archive.Image(
                        names=image.names,
                        layers=[*parts, own[-1]],
                        run=image.recipe.run,
                        labels={
                            "blackstart.digest": image.digest,
                            "org.opencontainers.image.title": image.recipe.title,
                            "org.opencontainers.image.version": image.version,
                        },
                    )
                )
            archive.write(written, target, arch=arch)
        finally:
            for path in own:
                path.unlink(missing_ok=True)
        return "images " + ", ".join(name for image in images for name in image.names)

    cache.get_or_make(artefact, make, notify=job.update)
    cache.forget_others(artefact, older_than_s=_KEPT_S)
    return artefact


def needs_root(name: str, images: Sequence[Sources], *, arch: str, cache: Cache) -> bool:
    """Tell whether `bundle` would have to unpack Debian's packages, which only root can."""
    if cache.find(_archive(name, images, arch)) is not None:
        return False
    layers_wanted = [image.recipe.debian for image in images if image.recipe.debian is not None]
    return any(debian.find(wanted, arch=arch, cache=cache) is None for wanted in layers_wanted)


def _archive(name: str, images: Sequence[Sources], arch: str) -> Artefact:
    digest = hashlib.sha256("\0".join(image.digest for image in images).encode()).hexdigest()
    return Artefact(name=f"image-{name}", version=digest[:12], arch=arch, file="image.tar")


def _own_layer(image: Sources, target: Path) -> None:
    """Write the layer of what is not Debian's: programs, files, links."""
    recipe = image.recipe
    with layers.Writer(target) as layer:
        for path, described in recipe.directories.items():
            mode, owner = described.split()
            layer.directory(path, mode=int(mode, 8), owner=int(owner))
        for path, program in recipe.programs.items():
            layer.file(path, image.programs[program], mode=0o755)
        for path, source in recipe.copies.items():
            layer.tree(path, PACKAGES / source, skip=_SKIP)
        rootfs = recipe.folder / "rootfs"
        if rootfs.is_dir():
            for child in sorted(rootfs.iterdir()):
                layer.tree(f"/{child.name}", child, skip=_SKIP)
        for path, link in recipe.links.items():
            layer.link(path, link)


def _files(source: Path) -> Sequence[Path]:
    """Return the files below `source` that `_own_layer` copies."""
    if source.is_file():
        return [source]
    found: list[Path] = []
    for child in sorted(source.iterdir()):
        if not layers.skipped(child, _SKIP):
            found += [child] if child.is_symlink() else _files(child)
    return found
