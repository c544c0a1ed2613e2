"""Root's rights on this machine, by sudo where the user is not root."""

import os
import subprocess
from collections.abc import Sequence

from lab.console.errors import LabError
from lab.host import environment

_CURE = "Run the command as root, or as a user who may use sudo."


def authorise(purposes: Sequence[str]) -> None:
    """Let sudo ask for the password now, where later it could only fail beside other output.

    `purposes` is what root is needed for, each an infinitive; without any, nobody is asked.
    A user with a NOPASSWD rule is never asked: `sudo -v` would ask even such a user
    where another rule, such as that of the group sudo, wants a password.
    Raises LabError where this user may not become root.
    """
    if not purposes or os.geteuid() == 0:
        return
    if environment.which("sudo") is None:
        raise _without_sudo(purposes)
    if _succeeds(["sudo", "-n", "true"], quiet=True):
        return
    if not _succeeds(["sudo", "-v"]):
        raise LabError(f"{_needed(purposes)}; and sudo refuses this user.", _CURE)


def foreseen(purposes: Sequence[str]) -> str:
    """Return in one line how this user becomes root for `purposes`, and ask for nothing.

    Raises LabError where there is no way.
    """
    if not purposes:
        return "root: not needed"
    wanted = f"root: needed to {', to '.join(purposes)}"
    if os.geteuid() == 0:
        return f"{wanted}; this user is root"
    if environment.which("sudo") is None:
        raise _without_sudo(purposes)
    quietly = _succeeds(["sudo", "-n", "true"], quiet=True)
    return f"{wanted}; sudo {'asks for no password' if quietly else 'may ask for a password'}"


def as_root(*options: str, **variables: str) -> list[str]:
    """Return what a command line begins with to run as root, with `variables` set.

    That is sudo with its `options` where the user is not root. It drops the environment.
    """
    sudo = [] if os.geteuid() == 0 else ["sudo", *options]
    settings = [f"{name}={value}" for name, value in variables.items()]
    return [*sudo, "env", *settings] if settings else sudo


def _needed(purposes: Sequence[str]) -> str:
    return f"Root is needed to {', to '.join(purposes)}"


def _without_sudo(purposes: Sequence[str]) -> LabError:
    return LabError(
        f"{_needed(purposes)}; and this machine has no program sudo.",
        "Run the command as root, or install sudo and allow it to this user.",
    )


def _succeeds(argv: list[str], *, quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    # Not by run(): sudo asks on the terminal, for as long as the user takes.
    done = subprocess.run(
        argv, check=False, stdout=output, stderr=output, env=environment.composed()
    )
    return done.returncode == 0
