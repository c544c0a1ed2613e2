"""The k3s release: downloaded by version and checked, or laid into the cache by the user.

A release has, per architecture, the program, an archive of the images that k3s starts
itself, and a list of checksums. All three lie in the cache under the release's own file
names, so that a user without network can put them there:
`<cache>/k3s/<version>/<arch>/`.
"""

import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from lab.artefacts import download
from lab.artefacts.cache import Artefact, Cache, Notify, sha256_of
from lab.artefacts.jobs import Job
from lab.console.errors import LabError

_LAID_IN = "laid into the cache"
_RELEASE = re.compile(r"v\d+\.\d+\.\d+\+k3s\d+")
_EXACT = "Set lab_k3s_version to a release, such as v1.34.3+k3s1; or mend lab_k3s_channels."
PROBE_LIMIT_S = 5.0
"""How long the mirror may take to answer before `auto` does without k3s."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of k3s for one architecture."""

    version: str
    """Such as v1.34.3+k3s1."""
    arch: str
    """amd64 or arm64."""
    mirror: str
    """Address of the releases; the files lie below `<mirror>/<version>/`."""

    @property
    def program(self) -> Artefact:
        """Return the k3s program; only on amd64 does its name lack the architecture."""
        return self._artefact("k3s" if self.arch == "amd64" else f"k3s-{self.arch}")

    @property
    def archive(self) -> Artefact:
        """Return the archive of the images that k3s starts itself."""
        return self._artefact(f"k3s-airgap-images-{self.arch}.tar.zst")

    @property
    def checksums(self) -> Artefact:
        """Return the list of the release's SHA-256 digests."""
        return self._artefact(f"sha256sum-{self.arch}.txt")

    def url(self, artefact: Artefact) -> str:
        """Return where the mirror has the file; the + of a version is written %2B."""
        version = urllib.parse.quote(self.version, safe="")
        return f"{self.mirror.rstrip('/')}/{version}/{artefact.file}"

    def _artefact(self, file: str) -> Artefact:
        return Artefact(name="k3s", version=self.version, arch=self.arch, file=file)


def is_channel(version: str) -> bool:
    """Tell whether `lab_k3s_version` names a channel, such as stable or v1.34."""
    return _RELEASE.fullmatch(version) is None


def newest(channel: str, *, channels: str) -> str:
    """Return the release that a channel is at; `channels` is the address that knows.

    Raises LabError where it does not answer, or with something else than a release.
    """
    try:
        target = download.redirection(
            f"{channels.rstrip('/')}/{urllib.parse.quote(channel)}", limit_s=PROBE_LIMIT_S
        )
    except LabError as error:
        raise LabError(
            f"The k3s channel {channel!r} can't be asked. {error.message}", _EXACT
        ) from None
    release = urllib.parse.unquote(target.rstrip("/").rpartition("/")[2])
    if is_channel(release):
        raise LabError(f"The k3s channel {channel!r} leads to {target}, no release.", _EXACT)
    return release


def cached(release: Release, *, cache: Cache) -> bool:
    """Tell whether the cache has the program, recorded or laid there by the user."""
    return cache.path(release.program).is_file()


def reachable(release: Release) -> str | None:
    """Return None where the mirror has the release, else why not, in a few words."""
    return download.absent(release.url(release.checksums), limit_s=PROBE_LIMIT_S)


def binary(release: Release, *, cache: Cache, job: Job) -> Artefact:
    """Return the program, adopted or downloaded; raise LabError where neither works."""
    _obtain(release, release.program, cache, job)
    program = cache.path(release.program)
    if not program.stat().st_mode & 0o111:  # Laid in by the user; a cache may be another's.
        program.chmod(0o755)
    return release.program


def images(release: Release, *, cache: Cache, job: Job) -> Artefact | None:
    """Return the image archive; None where only the program was laid into the cache."""
    if cache.path(release.archive).is_file() or reachable(release) is None:
        _obtain(release, release.archive, cache, job)
        return release.archive
    job.update("the mirror does not answer; building CoreDNS and pause instead")
    return None


def _obtain(release: Release, artefact: Artefact, cache: Cache, job: Job) -> None:
    if _laid_in(artefact, cache):
        _adopt(release, artefact, cache, job.update)
        return

    def make(target: Path) -> str:
        expected = _checksum(release, artefact, cache, job)
        url = release.url(artefact)
        download.fetch(url, target, notify=job.update)
        actual = sha256_of(target)
        if actual != expected:
            raise LabError(
                f"{url} is not the file that its release lists: SHA-256 {actual[:16]}… "
                f"instead of {expected[:16]}….",
                "Run it again; if it comes back, the mirror (lab_k3s_mirror) serves a wrong file.",
            )
        return f"downloaded from {url}"

    cache.get_or_make(artefact, make, notify=job.update)


def _laid_in(artefact: Artefact, cache: Cache) -> bool:
    """Tell whether the file is the user's, new or changed since it was last looked at."""
    record = cache.record(artefact)
    if record is None:
        return cache.path(artefact).is_file()
    return record.made.startswith(_LAID_IN) and cache.find(artefact) is None


def _adopt(release: Release, artefact: Artefact, cache: Cache, notify: Notify) -> None:
    """Take a file that the user laid into the cache, checked where that is possible."""
    path = cache.path(artefact)
    checksums = cache.path(release.checksums)
    if not checksums.is_file():
        digest = cache.adopt(artefact, made=f"{_LAID_IN}, unchecked")
        notify(f"taken from the cache unchecked, SHA-256 {digest}")
        return
    expected = _listed(checksums.read_text(), artefact, origin=str(checksums))
    actual = sha256_of(path)
    if actual != expected:
        raise LabError(
            f"{path} is damaged or incomplete: its SHA-256 is {actual[:16]}…, "
            f"{checksums.name} beside it says {expected[:16]}….",
            "Copy it there again, or delete it to have it downloaded.",
        )
    cache.adopt(artefact, made=f"{_LAID_IN}, checked by {checksums.name}")


def _checksum(release: Release, artefact: Artefact, cache: Cache, job: Job) -> str:
    """Return the digest that the release lists for a file."""
    url = release.url(release.checksums)

    def make(target: Path) -> str:
        download.fetch(url, target, notify=job.update)
        return f"downloaded from {url}"

    path = cache.path(release.checksums)
    if not path.is_file():
        cache.get_or_make(release.checksums, make, notify=job.update)
    return _listed(path.read_text(), artefact, origin=url)


def _listed(text: str, artefact: Artefact, *, origin: str) -> str:
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        if name.strip().lstrip("*").rsplit("/", 1)[-1] == artefact.file:
            return digest.lower()
    raise LabError(
        f"{origin} lists no checksum of {artefact.file}.",
        "Choose another lab_k3s_version, or another lab_k3s_mirror.",
    )
