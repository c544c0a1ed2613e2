"""Root's rights on this machine, by sudo where the user is not root."""

import os
import subprocess

from lab.console.errors import LabError

_CURE = "Run the command as root, or as a user who may use sudo."


def authorise() -> None:
    """Let sudo ask for the password now, where later it could only fail beside other output.

    A user with a NOPASSWD rule is never asked: `sudo -v` would ask even such a user
    where another rule, such as that of the group sudo, wants a password.
    Raises LabError where this user may not become root.
    """
    if os.geteuid() == 0 or _succeeds(["sudo", "-n", "true"], quiet=True):
        return
    if not _succeeds(["sudo", "-v"]):
        raise LabError("Making nodes and images needs root, and sudo refuses this user.", _CURE)


def as_root() -> list[str]:
    """Return what a command line begins with to run as root: nothing, or sudo."""
    return [] if os.geteuid() == 0 else ["sudo"]


def _succeeds(argv: list[str], *, quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(argv, check=False, stdout=output, stderr=output).returncode == 0
    except FileNotFoundError:
        raise LabError(
            "Making nodes and images needs root, and this machine has no program sudo.",
            "Run the command as root, or install sudo and allow it to this user.",
        ) from None
