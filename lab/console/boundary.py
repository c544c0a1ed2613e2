"""The boundary at which every error becomes a sentence: no traceback reaches a user.

What an error means is said where it is known. Here is what is left: errors of the system, of
libraries, and of the kit itself, whose traceback is kept in a file.
"""

import errno
import os
import select
import sys
import tempfile
import traceback

from lab.console.errors import LabError, shortened

FAILED = 1
"""Exit code after an error that the user can act on."""
DEFECT = 70
"""Exit code after an error of the kit itself (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
PIPE_CLOSED = 141
"""Exit code where the reader of the output has gone, as a shell has it for SIGPIPE."""
PACKAGES = ("experiment", "grid", "lab", "measurements", "service")
"""The packages of this distribution: one of these that is missing is a defect, not an extra."""
PLACES = "BLACKSTART_STATE, BLACKSTART_CACHE and TMPDIR name other places."
CURES = {
    errno.ENOSPC: f"Free some space on its disk. {PLACES}",
    errno.EDQUOT: f"Free some of this user's quota. {PLACES}",
    errno.EACCES: f"Give this user the right to it. {PLACES}",
    errno.EPERM: f"Give this user the right to it. {PLACES}",
    errno.EROFS: f"Make its file system writable. {PLACES}",
    errno.EEXIST: "Move away what stands there in the place of a directory.",
    errno.ENOTDIR: "Move away the file that stands there in the place of a directory.",
    errno.EISDIR: "Move away the directory that stands there in the place of a file.",
    errno.ELOOP: "Remove the link, which leads back to itself.",
    errno.EMFILE: "Let this user open more files: ulimit -n 4096",
    errno.ENAMETOOLONG: f"Take a shorter path. {PLACES}",
}
"""What to do about an error of the system; anything else is mended where its file lies."""
LIBRARIES = {
    "docker": ("The Docker engine", "`docker info` and its log (journalctl -u docker) say more."),
    "requests": ("The Docker engine", "`docker info` and its log (journalctl -u docker) say more."),
    "kubernetes": ("The cluster's API", "`lab status` says what does not run."),
    "urllib3": ("The cluster's API", "`lab status` says what does not run."),
}
"""Package of an error's class to who is asked through it, and what to do."""


def tell(error: Exception) -> int:
    """Print what an error means on standard error, and return the exit code."""
    known = sentence(error)
    print(f"\nerror: {known or _defect(error)}", file=sys.stderr)
    return FAILED if known else DEFECT


def sentence(error: Exception) -> LabError | None:
    """Return what a user is told of `error`; None where it is a defect of the kit."""
    if isinstance(error, LabError):
        return error
    package = type(error).__module__.partition(".")[0]
    if package in LIBRARIES:
        who, cure = LIBRARIES[package]
        words = str(error).strip() or type(error).__name__
        return LabError(f"{who} did not do what it was asked.", cure, evidence=shortened(words))
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return _of_a_missing_package(error.name)
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, MemoryError):
        return LabError("This machine has no memory left.", "End other programs, and try again.")
    return None


def pipe_closed() -> bool:
    """Tell whether the reader of standard output has gone; then nothing more is written there."""
    if not _reader_is_gone():
        return False
    # What is still buffered would only fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _reader_is_gone() -> bool:
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    except (AttributeError, OSError, ValueError):
        return False  # it is closed, or no file
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _of_a_missing_package(module: str) -> LabError | None:
    if module.partition(".")[0] in PACKAGES:
        return None
    return LabError(
        f"This command needs the Python package {module}, which is not installed.",
        "Run: pip install 'blackstart[lab]'",
    )


def _of_system(error: OSError) -> LabError:
    why = error.strerror or str(error) or type(error).__name__
    what = f"{error.filename} can't be used" if error.filename else "The system refused a step"
    if error.filename2:
        what = f"{error.filename} can't become {error.filename2}"
    return LabError(f"{what}: {why}.", CURES.get(error.errno or 0, "Mend that, then try again."))


def _defect(error: Exception) -> LabError:
    words = "".join(traceback.format_exception(error))
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    message = f"The kit met an error that it does not know: {shortened(what, 500)}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="blackstart-defect-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(words)
    except (OSError, UnicodeError):
        return LabError(message, "This is a defect of the kit.", evidence=words)
    return LabError(
        message, f"This is a defect of the kit. Report it with the traceback in {file.name}."
    )
