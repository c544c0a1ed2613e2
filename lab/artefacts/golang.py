"""Programs built from their Go modules, with the machine's toolchain or PyPI's."""

import hashlib
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.artefacts.toolchain import Toolchain
from lab.console.errors import LabError, shortened
from lab.host import command
from lab.host.private_directory import private_directory

_MODULES_LIMIT_S = 600.0
_SILENCE_S = 120.0
"""Go names each module that it begins to download; the largest are 20 MB."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program, as `go build` is told."""

    name: str
    """The artefact's and the finished file's name."""
    version: str
    """The upstream version, as the artefact cache names it."""
    folder: Path
    """The folder with go.mod and go.sum, and main.go where the program has its own."""
    package: str = "."
    """The package to build, where it is not the folder's own."""
    ldflags: str = ""
    """Flags for the linker besides `-s -w`."""
    tags: str = ""
    """Build tags, separated by commas."""
    cgo: bool = False
    """Whether it needs a C compiler; such a program is built for this machine only."""
    limit_s: float = 3600.0
    """The longest that the build may take."""
    module: str = ""
    """The module that `version` is of, where other releases than the pinned one can be built."""
    setting: str = ""
    """The setting that chooses it."""
    moved: tuple[str, str] = ("", "")
    """Pattern and replacement (re.sub) that make go.mod another release's; empty for its own."""

    def artefact(self, arch: str) -> Artefact:
        """Return the artefact that the build makes."""
        return Artefact(name=self.name, version=self.version, arch=arch, file=self.name)

    @property
    def inputs(self) -> str:
        """Digest of everything that decides what comes out, but the toolchain."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            if path.suffix in (".go", ".mod", ".sum"):
                digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
        digest.update(f"{self.package}\0{self.ldflags}\0{self.tags}\0{self.cgo}".encode())
        # Nothing where there is none: what was built before stays.
        digest.update("".join(self.moved).encode())
        return digest.hexdigest()


def module_version(folder: Path, module: str) -> str:
    """Return the version of `module` that the folder's go.mod pins."""
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", _mod(folder), re.MULTILINE)
    if found is None:
        raise LabError(f"{folder}/go.mod does not require {module}.", "Restore it from git.")
    return found.group(1)


def build(
    program: Program, *, arch: str, cache: Cache, go: Callable[[Job], Toolchain], job: Job
) -> Artefact:
    """Return the program's artefact, built where it is absent or outdated.

    `go` finds the toolchain, and is called only where something is built.
    """

    def make(target: Path) -> str:
        toolchain = go(job)
        began = time.monotonic()
        environment = {
            **toolchain.environment,
            "CGO_ENABLED": "1" if program.cgo else "0",
            "GOOS": "linux",
            "GOARCH": arch,
        }
        with _sources(program, toolchain, environment, job) as source:
            packages = _packages(source, toolchain, environment, job)
            built = 0

            def on_line(line: str) -> None:
                nonlocal built
                built += not line.startswith("go: ")
                job.update(f"{built} of {packages} packages, {time.monotonic() - began:.0f} s")

            words: list[str | os.PathLike[str]] = [
                toolchain.go,
                "build",
                "-v",
                "-trimpath",
                "-o",
                target,
            ]
            words += ["-ldflags", f"-s -w {source.ldflags}".strip()]
            words += ["-tags", source.tags] if source.tags else []
            job.update(f"{packages} packages, at most {source.limit_s / 60:.0f} min")
            _go([*words, source.package], source, environment, job, source.limit_s, on_line=on_line)
        return f"{toolchain.version} build, {time.monotonic() - began:.0f} s"

    artefact = program.artefact(arch)
    cache.get_or_make(artefact, make, notify=job.update, inputs=program.inputs)
    return artefact


@contextmanager
def _sources(
    program: Program, go: Toolchain, environment: Mapping[str, str], job: Job
) -> Iterator[Program]:
    """Yield the program with the folder to build it in: its own, or a copy for another release.

    That one's go.sum is written by Go, which asks the checksum database for what is new in it.
    """
    if not any(program.moved):
        yield program
        return
    with private_directory() as directory:
        copy = replace(program, folder=directory / program.folder.name)
        shutil.copytree(program.folder, copy.folder)
        (copy.folder / "go.mod").write_text(re.sub(*program.moved, _mod(copy.folder)))
        words: list[str | os.PathLike[str]] = [go.go, "mod", "tidy"]
        try:
            _go(words, copy, environment, job, _MODULES_LIMIT_S, silence_s=_SILENCE_S)
        except LabError as error:
            if not re.search(rf"{re.escape(program.module)}@{program.version}: ", error.evidence):
                raise
            raise _unreleased(program, go, environment, job, error) from None
        yield copy


def _unreleased(
    program: Program, go: Toolchain, environment: Mapping[str, str], job: Job, error: LabError
) -> LabError:
    """Return what to say of a release that isn't there, with those that are."""
    words: list[str | os.PathLike[str]] = [go.go, "list", "-m", "-versions", program.module]
    minor = program.version.rpartition(".")[0]
    try:
        listed = job.run(words, limit_s=_SILENCE_S, env=environment, cwd=program.folder).stdout
    except command.CommandError:
        return error
    there = [word for word in listed.split() if re.fullmatch(rf"{re.escape(minor)}\.\d+", word)]
    if program.version in there:
        return error
    return LabError(
        f"The Go module proxy has no {program.module} {program.version}.",
        f"Set {program.setting} to one that it has: {', '.join(there)}.",
        evidence=error.evidence,
    )


def _packages(program: Program, go: Toolchain, environment: Mapping[str, str], job: Job) -> int:
    """Download the modules that the program needs; return how many packages it has."""
    job.update(f"downloading its Go modules, at most {_MODULES_LIMIT_S / 60:.0f} min")
    words: list[str | os.PathLike[str]] = [
        go.go,
        "list",
        "-deps",
        "-f",
        "{{.ImportPath}}",
    ]
    words += ["-tags", program.tags] if program.tags else []
    count = 0

    def on_line(line: str) -> None:
        nonlocal count
        if line.startswith("go: "):
            job.update(line.removeprefix("go: "))
        else:
            count += bool(line)

    _go(
        [*words, program.package],
        program,
        environment,
        job,
        _MODULES_LIMIT_S,
        silence_s=_SILENCE_S,
        on_line=on_line,
    )
    return count


def _go(
    words: list[str | os.PathLike[str]],
    program: Program,
    environment: Mapping[str, str],
    job: Job,
    limit_s: float,
    *,
    silence_s: float = math.inf,
    on_line: Callable[[str], None] | None = None,
) -> None:
    try:
        job.run(
            words,
            limit_s=limit_s,
            silence_s=silence_s,
            env=environment,
            cwd=program.folder,
            on_line=on_line or (lambda line: job.update(line.removeprefix("go: "))),
        )
    except command.CommandError as error:
        raise _explained(program, error.result) from error


def _explained(program: Program, result: command.Result) -> LabError:
    """Turn go's output into one sentence with the cure."""
    output = result.stdout or result.stderr
    evidence = f"{result.pasteable}\n{shortened(output)}"
    what = f"{program.name} {program.version} could not be built"
    if "no space left on device" in output:
        return LabError(
            f"{what}: the disk is full.",
            "Free 6 GB where the cache, Go's build cache and the temporary directory lie.",
            evidence=evidence,
        )
    if "checksum mismatch" in output or "SECURITY ERROR" in output:
        return LabError(
            f"{what}: a Go module is not the one that go.sum pins.",
            "Empty the module cache (go clean -modcache) and run it again; if it comes back, "
            "the module proxy (GOPROXY) serves another file.",
            evidence=evidence,
        )
    unreachable = r"dial tcp|i/o timeout|no such host|TLS handshake|proxyconnect"
    if re.search(unreachable, output) or "without a word" in result.stderr:
        return LabError(
            f"{what}: the Go module proxy does not answer.",
            "Check the network, or set GOPROXY to a proxy that this machine reaches.",
            evidence=evidence,
        )
    if "C compiler" in output or re.search(r"(stdlib|stdio)\.h: No such file", output):
        return LabError(
            f"{what}: it needs a C compiler and the C library's headers.",
            "Install them: apt-get install gcc libc6-dev",
            evidence=evidence,
        )
    if result.returncode == 124:
        return LabError(
            f"{what} in its time.", "Run it again: Go keeps what it has built.", evidence=evidence
        )
    return LabError(f"{what}.", "The compiler's output below says why.", evidence=evidence)


def _mod(folder: Path) -> str:
    return (folder / "go.mod").read_text()
