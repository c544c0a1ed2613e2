"""System packages of this machine: which are missing, and how they get here."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal
from lab.host.command import CommandError, run

PROGRAMS = {
    "dockerd": "docker.io",
    "gcc": "gcc",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "mosquitto": "mosquitto",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "tshark": "tshark",
}
"""Program that the kit calls: the Debian and Ubuntu package that has it."""

FILES = {
    "/usr/include/stdio.h": "libc6-dev",
}
"""File that the kit needs: the package that has it."""

NEEDED = ("dockerd", "iptables", "mmdebstrap", "ssh")
"""What every lab needs."""
NEEDED_TO_BUILD = ("gcc", "/usr/include/stdio.h")
"""What the builds of a kubeadm lab need besides: flanneld is linked by a C compiler."""

ADMIN_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where an ordinary user's PATH does not look."""


def missing(names: Iterable[str]) -> list[str]:
    """Return the packages that lack for the programs and files of `names`, sorted."""
    return sorted({package for name in names if (package := _package_if_missing(name))})


def ensure(names: Iterable[str], progress: Progress) -> None:
    """Install what lacks of `names`, a selection of PROGRAMS and FILES, after saying which.

    Raises LabError where this is no Debian or Ubuntu, or apt-get fails.
    """
    packages = missing(names)
    if not packages:
        return
    listed = " ".join(packages)
    if not shutil.which("apt-get"):
        raise LabError(
            f"This machine lacks the packages {listed}, and has no apt-get to install them with.",
            "Install what they hold by this system's own means, then try again.",
        )
    apt = [*as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    title = f"Install missing system packages: {listed}"
    with progress.step(title, limit_s=600) as step:
        try:
            step.say("apt-get update")
            run([*apt, "update"], timeout_s=300)
            step.say("apt-get install")
            run([*apt, "install", "-y", "--no-install-recommends", *packages], timeout_s=600)
        except CommandError as error:
            raise LabError(
                f"The system packages {listed} could not be installed.",
                f"Run: {' '.join([*as_root(), 'apt-get install', listed])}",
                evidence=str(error),
            ) from None


def authorise() -> None:
    """Let sudo ask for the password now, where later it could only fail beside other output.

    Raises LabError where this user may not become root.
    """
    if os.geteuid() != 0 and subprocess.run(["sudo", "-v"], check=False).returncode != 0:
        raise LabError(
            "Making nodes and images needs root, and sudo refuses this user.",
            "Run the command as root, or as a user who may use sudo.",
        )


def as_root() -> list[str]:
    """Return what a command line begins with to run as root: nothing, or sudo."""
    return [] if os.geteuid() == 0 else ["sudo"]


def _package_if_missing(name: str) -> str | None:
    if name in FILES:
        return None if Path(name).exists() else FILES[name]
    path = f"{os.environ.get('PATH', '')}:{ADMIN_PATH}"
    return None if shutil.which(name, path=path) else PROGRAMS[name]


def main() -> None:
    """Install what lacks of the names on the command line: `python -m lab.host.packages ssh`."""
    try:
        ensure(sys.argv[1:], Terminal())
    except LabError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
