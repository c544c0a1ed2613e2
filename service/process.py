"""What a command of the kit needs of its own process, whatever it was started from."""

import contextlib
import os
import sys
import sysconfig
import warnings
from pathlib import Path

PACKAGES = Path(__file__).parents[1]
"""Where the kit's own packages lie."""


def settle() -> None:
    """Make streams, directory and Python's own settings the same for every user."""
    _open_streams()
    _leave_a_removed_directory()
    # PYTHONWARNINGS is for whoever works on a program: as `error` it would break libraries.
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    _forget_python_path()
    # A terminal without a width, as some programs make them: nothing would be printed.
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]


def _open_streams() -> None:
    """Open what is closed, and let no stream raise because of a character that it lacks."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free: otherwise the next file would become a stream.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a test's stand-in
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def _leave_a_removed_directory() -> None:
    try:
        Path.cwd()
    except OSError:
        os.chdir("/")


def _forget_python_path() -> None:
    """Drop what PYTHONPATH brings, such as another yaml; but not the kit itself."""
    if not (brought := os.environ.get("PYTHONPATH")):
        return
    # Python has the entries made absolute; an empty one is the working directory.
    own = {PACKAGES, *map(Path, sysconfig.get_paths().values())}
    foreign = {Path(entry or ".").absolute() for entry in brought.split(os.pathsep)} - own
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").absolute() not in foreign]
