"""Images of a registry, pulled by the OCI distribution API into an archive in OCI layout.

containerd (`ctr images import`) and k3s' own import read such archives (OCI image
specification, image-layout.md). No engine is needed on this machine.
"""

import hashlib
import http.client
import io
import json
import re
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.artefacts import download
from lab.artefacts.cache import sha256_of
from lab.artefacts.jobs import Job
from lab.console.errors import LabError

HUB = "https://registry-1.docker.io"
"""Where docker.io's images are."""
ANSWER_LIMIT_S = 30.0
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def pull(name: str, target: Path, *, arch: str, job: Job, cure: str, registry: str = "") -> str:
    """Write the archive of `name`, such as docker.io/library/mysql:8.4, for linux/`arch`.

    `cure` is what to do where the image can't be had. `registry` is the address to ask where it
    isn't the name's own. Returns one line on
    how the file came to be. Raises LabError where the registry does not answer or has
    no such image.
    """
    host, _, rest = name.partition("/")
    repository, _, tag = rest.rpartition(":")
    own = HUB if host == "docker.io" else f"https://{host}"
    source = _Repository(address=f"{registry or own}/v2/{repository}", job=job)
    try:
        job.update(f"asking for {name}")
        content, kind = source.manifest(tag)
        if kind in _INDEXES:
            digest = _of_platform(json.loads(content), arch, name, cure)
            content, kind = source.manifest(digest)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise LabError(
            f"{name} could not be pulled.",
            cure,
            evidence=str(error),
        ) from error
    _write(target, name, content, kind, source)
    return f"pulled {name} sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(kw_only=True)
class _Repository:
    """One repository of a registry, with the token that reading it takes."""

    address: str
    """Address of its API: `<registry>/v2/<repository>`."""
    job: Job
    """Where downloads are shown."""
    headers: dict[str, str] = field(default_factory=dict)
    """The token's header, once the registry has asked for one."""

    def manifest(self, reference: str) -> tuple[bytes, str]:
        """Return a manifest's or index's bytes and media type, by tag or digest."""
        url = f"{self.address}/manifests/{reference}"
        try:
            return self._get(url)
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate", "")
            error.close()
            if error.code != http.client.UNAUTHORIZED or self.headers:
                raise
            self.headers = {"Authorization": f"Bearer {_token(challenge)}"}
        return self._get(url)

    def blob(self, digest: str, target: Path) -> None:
        """Download a blob and check it; raises LabError where it is another file."""
        url = f"{self.address}/blobs/{digest}"
        download.fetch(url, target, notify=self.job.update, headers=self.headers)
        if f"sha256:{sha256_of(target)}" != digest:
            raise LabError(f"{url} is not the file that its manifest lists.", "Run it again.")

    def _get(self, url: str) -> tuple[bytes, str]:
        accepted = {"Accept": ", ".join((*_INDEXES, *_MANIFESTS))}
        request = urllib.request.Request(url, headers=accepted)  # noqa: S310 - the registry's
        for header, value in self.headers.items():
            request.add_unredirected_header(header, value)
        with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:  # noqa: S310
            return answer.read(), answer.headers.get_content_type()


def _token(challenge: str) -> str:
    """Return the token that a registry's challenge asks for, given to anybody."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    query = urllib.parse.urlencode(fields)
    with urllib.request.urlopen(f"{realm}?{query}", timeout=ANSWER_LIMIT_S) as answer:  # noqa: S310
        found = json.load(answer)
    return str(found.get("token") or found.get("access_token"))


def _of_platform(index: Mapping[str, Any], arch: str, name: str, cure: str) -> str:
    """Return the digest of an index's manifest for linux on `arch`."""
    for entry in index["manifests"]:
        platform = entry.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", arch):
            return str(entry["digest"])
    raise LabError(f"{name} has no image for linux/{arch}.", cure)


def _write(target: Path, name: str, content: bytes, kind: str, source: _Repository) -> None:
    """Write the archive; each blob is downloaded beside it first."""
    manifest = json.loads(content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    index = {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": kind,
                "digest": digest,
                "size": len(content),
                "annotations": {
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name.rpartition(":")[2],
                },
            }
        ],
    }
    part = target.with_name(f"{target.name}.blob")
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        _add(tar, "index.json", json.dumps(index).encode())
        _add(tar, _path(digest), content)
        try:
            for blob in dict.fromkeys(
                entry["digest"] for entry in (manifest["config"], *manifest["layers"])
            ):
                source.blob(blob, part)
                tar.add(part, _path(blob))
        finally:
            part.unlink(missing_ok=True)


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
