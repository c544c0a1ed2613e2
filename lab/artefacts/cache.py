"""The artefact cache: finished files by name, version and architecture, or nothing.

Layout: `<root>/<name>/<version>/<arch>/<file>`, and beside each finished file its
record `<file>.json`. A file without a record does not count, so that a crash, a
full disk or Ctrl-C never leaves something that a later run takes for finished.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from lab.console.errors import LabError
from lab.host import environment

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LOCK_LIMIT_S = 3600.0

Notify = Callable[[str], None]
"""Takes one short line for the user about what is going on."""


def machine_architecture() -> str:
    """Return this machine's architecture by Debian's and Go's name: amd64 or arm64."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise LabError(
            f"This machine is a {machine}; the lab's binaries exist for amd64 and arm64.",
            "Run the lab from an x86-64 or a 64-bit ARM machine.",
        )
    return _ARCHITECTURES[machine]


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One file of the cache, by what it is and not by where it lies."""

    name: str
    """What it is: `kubernetes`, `k3s`, `image-grid`."""
    version: str
    """Its upstream version, or the digest of what it was made from."""
    arch: str
    """amd64 or arm64."""
    file: str
    """The file's own name."""

    @property
    def relative(self) -> str:
        """Its path below the cache's root, the same on every node."""
        return f"{self.name}/{self.version}/{self.arch}/{self.file}"

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.arch})"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the cache knows about a finished file."""

    sha256: str
    """Hexadecimal digest of the content."""
    size: int
    """Bytes."""
    mtime_ns: int
    """Modification time when the digest was taken; while it and the size agree, the
    digest is not taken again."""
    made: str
    """How the file came to be, in one line."""
    inputs: str
    """Digest of what it was made from; empty where the version says it all."""


class Cache:
    """The files below one root directory. Safe for several processes at a time."""

    def __init__(self, root: Path | None = None, *, verify: bool = False) -> None:
        """`root` is $BLACKSTART_CACHE where it is not given, else the XDG cache directory.

        `verify` takes every used file's digest again, whatever its times say.
        """
        self.root = root or environment.user_directory(
            "BLACKSTART_CACHE", lambda: platformdirs.user_cache_path("blackstart")
        )
        self._verify = verify

    def path(self, artefact: Artefact) -> Path:
        """Return where the file is, or would be."""
        return self.root / artefact.relative

    def record(self, artefact: Artefact) -> Record | None:
        """Return the record of a finished file, or None where there is none to trust."""
        try:
            fields = json.loads(_record_path(self.path(artefact)).read_text())
            return Record(**fields)
        except (OSError, ValueError, TypeError):
            return None

    def find(
        self, artefact: Artefact, *, inputs: str = "", notify: Notify | None = None
    ) -> Path | None:
        """Return the finished file, or None where it is absent, outdated or damaged.

        A damaged file is named through `notify`, with what happens next.
        """
        path = self.path(artefact)
        record = self.record(artefact)
        if record is None or not path.is_file() or record.inputs != inputs:
            return None
        status = path.stat()
        if not self._verify and (status.st_size, status.st_mtime_ns) == (
            record.size,
            record.mtime_ns,
        ):
            return path
        if status.st_size == record.size and sha256_of(path) == record.sha256:
            with contextlib.suppress(PermissionError):  # a cache of another user's
                self._write_record(path, record.sha256, made=record.made, inputs=inputs)
            return path
        if notify is not None:
            notify(f"{path} is damaged (its digest is not the recorded one); getting it again")
        return None

    def get_or_make(
        self, artefact: Artefact, make: Callable[[Path], str], *, notify: Notify, inputs: str = ""
    ) -> Path:
        """Return the finished file; where there is none, let `make` write it.

        `make` gets a temporary path and returns one line on how it made the file.
        Two processes never make the same file at once: the second waits for the
        first and takes its result. Raises LabError where the disk is full, the
        cache cannot be written, or the other process takes over an hour.
        """
        found = self.find(artefact, inputs=inputs)
        if found is not None:
            return found
        path = self.path(artefact)
        lock = path.with_name(f".{artefact.file}.lock")
        with _disk_errors(self.root, artefact), locked(lock, str(artefact), notify):
            found = self.find(artefact, inputs=inputs, notify=notify)
            if found is not None:
                return found
            for leftover in path.parent.glob(f".{path.name}.*.part*"):
                leftover.unlink()  # Under the lock, nobody else's: a run was killed.
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            try:
                made = make(part)
                self._finish(part, path, made=made, inputs=inputs)
            finally:
                part.unlink(missing_ok=True)
        return path

    def forget_others(self, artefact: Artefact, *, older_than_s: float) -> None:
        """Remove the other versions of an artefact, of its architecture, made long ago.

        For files that are named by the digest of what they are made from: they can be
        made again, and no other lab of these days is likely to ask for them.
        """
        for record in (self.root / artefact.name).glob(f"*/{artefact.arch}/{artefact.file}.json"):
            folder = record.parent
            recent = time.time() - record.stat().st_mtime < older_than_s
            if folder.parent.name == artefact.version or recent:
                continue
            try:
                record.unlink()  # First of all: without it the file no longer counts.
            except PermissionError:
                continue  # A cache of another user's, who clears it.
            shutil.rmtree(folder.parent, ignore_errors=True)

    def adopt(self, artefact: Artefact, *, made: str) -> str:
        """Record a file that somebody laid into the cache; return its digest."""
        path = self.path(artefact)
        with _disk_errors(self.root, artefact):
            digest = sha256_of(path)
            self._write_record(path, digest, made=made, inputs="")
        return digest

    def _finish(self, part: Path, path: Path, *, made: str, inputs: str) -> None:
        digest = sha256_of(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        # Without its record the old file no longer counts, and the new one not yet.
        _record_path(path).unlink(missing_ok=True)
        part.replace(path)
        self._write_record(path, digest, made=made, inputs=inputs)

    def _write_record(self, path: Path, digest: str, *, made: str, inputs: str) -> None:
        status = path.stat()
        record = Record(
            sha256=digest,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            made=made,
            inputs=inputs,
        )
        part = path.with_name(f".{path.name}.{os.getpid()}.json.part")
        try:
            with part.open("w") as file:
                json.dump(asdict(record), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(_record_path(path))
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(lock: Path, what: str, notify: Notify) -> Iterator[None]:
    """Make sure that one process at a time makes `what`; LabError after an hour."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    # flock goes with the process, so a killed run leaves no lock behind.
    with lock.open("a") as file:
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = time.monotonic() - began
                if waited > _LOCK_LIMIT_S:
                    raise LabError(
                        f"Another lab has been making {what} for over an hour.",
                        f"See what holds {lock} (fuser -v {lock}) and end it.",
                    ) from None
                notify(f"another lab makes {what}; waiting, {waited:.0f} s so far")
                time.sleep(1)
        yield


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


@contextlib.contextmanager
def _disk_errors(root: Path, artefact: Artefact) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LabError(
                f"The disk that holds {root} was full while {artefact} was written.",
                "Free some space there, or set BLACKSTART_CACHE to a directory with 6 GB free.",
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise LabError(
                f"{root} cannot be written: {error.strerror} ({error.filename}).",
                "Run as the user that owns it, or set BLACKSTART_CACHE to another directory.",
            ) from error
        raise
