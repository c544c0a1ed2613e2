"""Layers of images: tar files whose bytes depend on their content only."""

import fnmatch
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_EPOCH = 0


class Writer:
    """Writes a layer: sorted parents first, everything dated 1970 and owned by root."""

    def __init__(self, target: Path) -> None:
        self._tar = tarfile.open(target, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._directories: set[str] = set()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *exception: object) -> None:
        self._tar.close()

    def directory(self, path: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add a directory, with its parents."""
        name = path.strip("/")
        if not name or name in self._directories:
            return
        self.directory(str(Path(name).parent).removeprefix("."))
        self._directories.add(name)
        info = _info(name, tarfile.DIRTYPE, mode)
        info.uid = info.gid = owner
        self._tar.addfile(info)

    def file(self, path: str, source: Path, *, mode: int) -> None:
        """Add a file with the content of `source`."""
        info = self._child(path, tarfile.REGTYPE, mode)
        info.size = source.stat().st_size
        with source.open("rb") as content:
            self._tar.addfile(info, content)

    def text(self, path: str, content: str, *, mode: int = 0o644) -> None:
        """Add a file with `content`."""
        info = self._child(path, tarfile.REGTYPE, mode)
        data = content.encode()
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        info = self._child(path, tarfile.SYMTYPE, 0o777)
        info.linkname = target
        self._tar.addfile(info)

    def tree(self, path: str, source: Path, *, skip: Iterable[str] = ()) -> None:
        """Add a file, or a folder with all that is in it, but names that match `skip`.

        Of the modes only the executable bit is taken, as git does.
        """
        patterns = tuple(skip)
        if source.is_file():
            self.file(path, source, mode=0o755 if source.stat().st_mode & 0o100 else 0o644)
            return
        self.directory(path)
        for child in sorted(source.iterdir()):
            if skipped(child, patterns):
                continue
            name = f"{path.rstrip('/')}/{child.name}"
            if child.is_symlink():
                self.link(name, str(child.readlink()))
            else:
                self.tree(name, child, skip=patterns)

    def _child(self, path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
        self.directory(str(Path(path.strip("/")).parent).removeprefix("."))
        return _info(path.strip("/"), kind, mode)


def skipped(path: Path, patterns: Iterable[str]) -> bool:
    """Tell whether a file's name matches one of the shell patterns."""
    return any(fnmatch.fnmatchcase(path.name, pattern) for pattern in patterns)


def filtered(source: Path, target: Path, *, drop: Iterable[str]) -> Mapping[str, int]:
    """Copy a layer without device files, and without the paths that match `drop`.

    Returns what was kept: number of `entries` and of `bytes`.
    """
    patterns = tuple(drop)
    kept = {"entries": 0, "bytes": 0}
    dropped: set[str] = set()
    with (
        tarfile.open(source) as old,
        tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            name = member.name.removeprefix("./").strip("/")
            if not name or name == "." or member.isdev():
                continue
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                dropped.add(member.name)
                continue
            if member.islnk() and member.linkname in dropped:
                continue
            member.name = name
            if member.islnk():
                member.linkname = member.linkname.removeprefix("./")
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
            kept["entries"] += 1
            kept["bytes"] += member.size
    return kept


def _info(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = mode
    info.mtime = _EPOCH
    return info
