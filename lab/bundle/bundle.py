"""Everything that a lab's nodes take from the cache."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The files of one distribution and of the workloads, all finished."""

    files: Mapping[str, str]
    """Artefact name: path below the cache's root."""
    image_archives: Sequence[str]
    """Paths below the cache's root of the archives that every node imports."""
    images: Mapping[str, str]
    """Short name (grid, mysql, pause, flannel): image name with tag, for manifests."""
    versions: Mapping[str, str]
    """What runs, by name: its version, for the report."""


def merged(parts: Sequence[Bundle]) -> Bundle:
    """Return one bundle of all that `parts` have, in their order."""
    return Bundle(
        files=_joined(part.files for part in parts),
        image_archives=[archive for part in parts for archive in part.image_archives],
        images=_joined(part.images for part in parts),
        versions=_joined(part.versions for part in parts),
    )


def _joined(mappings: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return {key: value for mapping in mappings for key, value in mapping.items()}
