"""Everything that a lab's nodes take from the cache."""

from collections.abc import Mapping, Sequence
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
