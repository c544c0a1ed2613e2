"""Temporary directories: they go with the command, or with the next one after a kill."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from lab.host import environment

PREFIX = "blackstart-run-"
"""What the names begin with; the number of the process that made them follows."""


@contextmanager
def private_directory() -> Iterator[Path]:
    """Return a directory for one use, its path short enough for a socket's in it.

    Those of commands that were killed go first. Processes that work in it end with it,
    as Ansible's workers and connections, which it leaves behind after Ctrl-C.
    """
    sweep()
    with tempfile.TemporaryDirectory(
        prefix=f"{PREFIX}{os.getpid()}-",
        dir=environment.temporary_directory(),
        # What ends may still write there for a moment.
        ignore_cleanup_errors=True,
    ) as name:
        try:
            yield Path(name)
        finally:
            _end_processes(Path(name))


def sweep() -> list[str]:
    """Remove what killed commands of this user left, and end what still works there.

    Returns the directories.
    """
    removed = []
    for left in sorted(environment.temporary_directory().glob(f"{PREFIX}*-*")):
        pid = left.name.removeprefix(PREFIX).split("-")[0]
        if not pid.isdecimal() or psutil.pid_exists(int(pid)) or not _is_own(left):
            continue
        _end_processes(left)
        shutil.rmtree(left, ignore_errors=True)
        removed.append(str(left))
    return removed


def _is_own(directory: Path) -> bool:
    try:
        return directory.stat().st_uid == os.getuid()
    except FileNotFoundError:  # Another command has removed it.
        return False


def _end_processes(directory: Path) -> None:
    """End this user's processes whose command lines name `directory`."""
    for process in psutil.process_iter(["uids", "cmdline"]):
        words = process.info["cmdline"] or []
        own = process.info["uids"] and process.info["uids"].real == os.getuid()
        if own and any(str(directory) in word for word in words):
            with suppress(psutil.Error):
                process.kill()
