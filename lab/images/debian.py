"""Layers of Debian packages, made by mmdebstrap and cached by what they hold."""

import contextlib
import hashlib
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.jobs import Job
from lab.config.files import IMAGES
from lab.console.errors import LabError, shortened
from lab.host import command, environment
from lab.host.private_directory import private_directory
from lab.host.privileges import as_root
from lab.images import layers
from lab.images.recipe import Debian

LIMIT_S = 900.0
"""The longest that one layer may take, in seconds."""
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
KEYRING = IMAGES / "debian-archive-keyring.gpg"
"""Debian's keys, of the package of that name: Ubuntu's own is too old for Debian 12."""
_FORMAT = "2"
"""Changes when the code here makes another layer of the same description."""
_PACKAGE = "package: "
_STAGE = re.compile(
    r"I: ((?:running apt|downloading|extracting|installing|creating).*?)(?:\.\.\.)?$"
)
"""What mmdebstrap says that a user understands."""
_INSTALLED = f'chroot "$1" dpkg-query -W -f "{_PACKAGE}\\${{Package}}_\\${{Version}}\\n"'
_UNPACKED = f'cd "$1/var/cache/apt/archives" && ls *.deb | sed "s/^/{_PACKAGE}/"'

_LEFT_OUT = (
    "dev/*",
    "usr/share/doc/*",
    "usr/share/info/*",
    "usr/share/lintian/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "var/cache/apt/*",
    "var/cache/debconf/*-old",
    "var/lib/apt/lists/*",
    "var/lib/dpkg/*-old",
    "var/log/*.log",
    "var/log/apt/*",
)
"""What no container reads, and what an engine mounts over."""


def layer(debian: Debian, *, arch: str, cache: Cache, job: Job) -> Artefact:
    """Return the packages' layer, a tar file, bootstrapped where the cache has none."""
    artefact = _artefact(debian, arch)

    def make(target: Path) -> str:
        raw = target.with_name(target.name + ".raw")
        # The user's file, even where root fills it through sudo.
        raw.touch()
        try:
            versions = _bootstrap(debian, arch, raw, job)
            job.update("removing documents")
            kept = layers.filtered(raw, target, drop=(*_LEFT_OUT, *debian.drop))
        finally:
            raw.unlink(missing_ok=True)
        listed = " ".join(f"{name}={versions.get(name, '?')}" for name in debian.packages)
        return (
            f"mmdebstrap of {debian.suite}: {kept['entries']} entries, "
            f"{kept['bytes'] / 1e6:.0f} MB; {listed}"
        )

    cache.get_or_make(artefact, make, notify=job.update)
    return artefact


def find(debian: Debian, *, arch: str, cache: Cache) -> Artefact | None:
    """Return the packages' layer where the cache has it."""
    artefact = _artefact(debian, arch)
    return artefact if cache.find(artefact) is not None else None


def version(layer: Artefact, package: str, *, cache: Cache) -> str:
    """Return the upstream version of a package in a finished layer: 9.7.4 of 9.7.4-2."""
    record = cache.record(layer)
    found = re.search(rf" {re.escape(package)}=(?:\d+:)?([\d.]+)", record.made if record else "")
    if found is None:
        raise LabError(
            f"The record of {cache.path(layer)} names no version of {package}.",
            f"Delete {cache.path(layer).parent} and run it again.",
        )
    return found.group(1)


def digest(debian: Debian) -> str:
    """Return the digest of everything that decides what the layer holds."""
    described = f"{_FORMAT}\0{_LEFT_OUT}\0{debian.model_dump_json()}"
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _artefact(debian: Debian, arch: str) -> Artefact:
    return Artefact(name="layer-debian", version=digest(debian), arch=arch, file="layer.tar")


def _bootstrap(debian: Debian, arch: str, target: Path, job: Job) -> Mapping[str, str]:
    """Run mmdebstrap; return the version of each package in the layer."""
    program = environment.which("mmdebstrap")
    if program is None:
        raise LabError(
            "mmdebstrap, which makes the images' Debian layers, is not installed.",
            "Install it: apt-get install mmdebstrap",
        )
    words = [
        # Beside other jobs nobody could type a password.
        *as_root("-n", **environment.proxies()),
        program,
        "--mode=root",
        f"--architectures={arch}",
        f"--variant={'minbase' if debian.install else 'extract'}",
        f"--include={','.join(debian.packages)}",
        "--format=tar",
        '--aptopt=APT::Install-Recommends "false"',
        # Some mirrors lag behind by more days than a Release file is valid for.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        "--aptopt=Acquire::Retries 3",
        "--aptopt=Acquire::http::Timeout 30",
        "--dpkgopt=force-unsafe-io",
        *_hooks(debian),
        debian.suite,
        str(target),
    ]
    versions: dict[str, str] = {}

    def on_line(line: str) -> None:
        if line.startswith(_PACKAGE):
            name, number = line.removeprefix(_PACKAGE).removesuffix(".deb").split("_")[:2]
            versions[name] = number.replace("%3a", ":")
        elif found := _STAGE.match(line):
            job.update(found.group(1))

    job.update(f"bootstrapping {debian.suite}, at most {LIMIT_S / 60:.0f} min")
    try:
        with _readable_keyring() as keyring:
            words += _sources(debian.suite, keyring)
            job.run(words, limit_s=LIMIT_S, on_line=on_line)
    except command.CommandError as error:
        raise _explained(debian, error.result) from error
    return versions


@contextlib.contextmanager
def _readable_keyring() -> Iterator[Path]:
    """Lay the keyring where apt's own user can read it, which a home often does not let."""
    with private_directory() as folder:
        keyring = folder / KEYRING.name
        shutil.copyfile(KEYRING, keyring)
        keyring.chmod(0o644)
        folder.chmod(0o755)
        yield keyring


def _hooks(debian: Debian) -> Sequence[str]:
    """Return the options that print the packages' versions and run `then`."""
    if debian.install:
        option, versions = "--customize-hook", _INSTALLED
    else:
        # This hook runs at the end of what is only unpacked. Its root has no list of
        # packages; the archives' names tell.
        option, versions = "--extract-hook", _UNPACKED
    commands = [f'chroot "$1" {shlex.join(words)}' for words in debian.then]
    return [f"{option}={script}" for script in (versions, *commands)]


def _sources(suite: str, keyring: Path) -> Sequence[str]:
    def line(mirror: str, name: str) -> str:
        return f"deb [signed-by={keyring}] {mirror} {name} main"

    if suite == "sid":
        return [line(MIRROR, suite)]
    return [
        line(MIRROR, suite),
        line(MIRROR, f"{suite}-updates"),
        line(SECURITY, f"{suite}-security"),
    ]


def _explained(debian: Debian, result: command.Result) -> LabError:
    output = result.stdout or result.stderr
    evidence = f"{result.pasteable}\n{shortened(output)}"
    what = f"The Debian layer ({debian.suite}: {' '.join(debian.packages[:3])} …)"
    if "No space left on device" in output:
        return LabError(
            f"{what} could not be made: the disk is full.",
            "Free 2 GB in the temporary directory and where the cache lies.",
            evidence=evidence,
        )
    if "password is required" in output:
        return LabError(
            f"{what} needs root, and sudo wants a password.",
            "Run `sudo -v` and then this again, or run it as root.",
        )
    if re.search(r"Could not (resolve|connect)|Connection (failed|timed out)|timed out", output):
        return LabError(
            f"{what} could not be made: the Debian mirror {MIRROR} does not answer.",
            "Check the network; apt's proxy settings of this machine are used.",
            evidence=evidence,
        )
    if "NO_PUBKEY" in output or "not signed" in output:
        return LabError(
            f"{what} could not be made: the mirror's signature is not one of the keyring's.",
            f"Replace {KEYRING} by that of Debian's newest package debian-archive-keyring.",
            evidence=evidence,
        )
    return LabError(f"{what} could not be made.", "mmdebstrap says why.", evidence=evidence)
