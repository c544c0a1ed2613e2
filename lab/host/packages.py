"""System packages of this machine: which are missing, and how they get here."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal
from lab.host.command import CommandError, run
from lab.host.privileges import as_root

Programs = Mapping[str, str]
"""Program, or the absolute path of a file, to the Debian and Ubuntu package that has it."""

TEST_PROGRAMS = {
    "mosquitto": "mosquitto",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "tshark": "tshark",
}
"""What the kit's own tests call."""

ADMIN_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where an ordinary user's PATH does not look."""


def missing(programs: Programs) -> list[str]:
    """Return the packages of those `programs` that this machine lacks, sorted."""
    return sorted({package for name, package in programs.items() if not _present(name)})


def ensure(programs: Programs, progress: Progress) -> None:
    """Install the packages of those `programs` that this machine lacks, after naming them.

    Raises LabError where this is no Debian or Ubuntu, or apt-get fails.
    """
    packages = missing(programs)
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
            step.update("apt-get update")
            run([*apt, "update"], timeout_s=300)
            step.update("apt-get install")
            run([*apt, "install", "-y", "--no-install-recommends", *packages], timeout_s=600)
        except CommandError as error:
            raise LabError(
                f"The system packages {listed} could not be installed.",
                f"Run: {' '.join([*as_root(), 'apt-get install', listed])}",
                evidence=str(error),
            ) from None


def _present(name: str) -> bool:
    if name.startswith("/"):
        return Path(name).exists()
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{ADMIN_PATH}") is not None


def main() -> None:
    """Install what the tests need of the names given: `python -m lab.host.packages ssh`."""
    try:
        ensure({name: TEST_PROGRAMS[name] for name in sys.argv[1:]}, Terminal())
    except KeyError as error:
        sys.exit(f"error: {error} is none of {', '.join(TEST_PROGRAMS)}")
    except LabError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
