"""System packages of this machine: which are missing, and how they get here."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal
from lab.host import environment
from lab.host.command import CommandError, run
from lab.host.privileges import as_root, authorise

Programs = Mapping[str, str]
"""Program, or the absolute path of a file, to the Debian and Ubuntu package that has it."""

TEST_PROGRAMS = {
    "ip": "iproute2",
    "iptables": "iptables",
    "mosquitto": "mosquitto",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "tshark": "tshark",
}
"""What the kit's own tests call."""


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
    check_installer(packages)
    listed = " ".join(packages)
    authorise([f"install {listed}"])
    root = as_root(DEBIAN_FRONTEND="noninteractive", **environment.proxies())
    apt = [*root, "apt-get", "-q"]
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


def check_installer(packages: Sequence[str]) -> None:
    """Raise LabError where this machine has nothing that installs `packages`."""
    if environment.which("apt-get") is None:
        raise LabError(
            f"This machine lacks the packages {' '.join(packages)}, and has no apt-get to install "
            "them with.",
            "Install what they hold by this system's own means, then try again.",
        )


def _present(name: str) -> bool:
    if name.startswith("/"):
        return Path(name).exists()
    return environment.which(name) is not None


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
