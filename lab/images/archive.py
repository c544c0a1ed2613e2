"""Image archives in the form of `docker save`, written without a Docker engine.

containerd (`ctr images import`), k3s' own import and `docker load` all read them.
Images of one archive that share a layer store it once.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.artefacts.cache import sha256_of
from lab.images.recipe import ContainerStart

_CREATED = "1970-01-01T00:00:00Z"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image of an archive."""

    names: Sequence[str]
    """Names with tag that it gets."""
    layers: Sequence[Path]
    """Uncompressed tar files, the lowest layer first."""
    run: ContainerStart
    """How its containers start."""
    labels: Mapping[str, str]
    """Labels of the image."""


def write(images: Iterable[Image], target: Path, *, arch: str) -> None:
    """Write the archive of `images`; the same images give the same bytes."""
    digests: dict[Path, str] = {}
    manifest: list[dict[str, Any]] = []
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        stored: set[str] = set()
        for image in images:
            names: list[str] = []
            for layer in image.layers:
                digest = digests.setdefault(layer, "") or sha256_of(layer)
                digests[layer] = digest
                names.append(f"{digest}/layer.tar")
                if digest not in stored:
                    stored.add(digest)
                    _add(tar, names[-1], layer)
            config = json.dumps(
                _config(image, [digests[layer] for layer in image.layers], arch)
            ).encode()
            config_name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add_bytes(tar, config_name, config)
            manifest.append({"Config": config_name, "RepoTags": list(image.names), "Layers": names})
        _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())


def _config(image: Image, digests: Sequence[str], arch: str) -> dict[str, Any]:
    """Return the image configuration (OCI image specification, config.md)."""
    run = image.run
    config: dict[str, Any] = {
        "Env": [f"{key}={value}" for key, value in {"PATH": _PATH, **run.env}.items()],
        "Labels": dict(image.labels),
    }
    optional: dict[str, Any] = {
        "Entrypoint": run.entrypoint,
        "Cmd": run.command,
        "User": run.user,
        "WorkingDir": run.workdir,
        "StopSignal": run.stop_signal,
        "ExposedPorts": {port: {} for port in run.ports},
        "Volumes": {volume: {} for volume in run.volumes},
    }
    config |= {key: value for key, value in optional.items() if value}
    return {
        "architecture": arch,
        "os": "linux",
        "created": _CREATED,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created": _CREATED, "created_by": "blackstart"} for _ in digests],
    }


def _add(tar: tarfile.TarFile, name: str, source: Path) -> None:
    info = tarfile.TarInfo(name)
    info.size = source.stat().st_size
    with source.open("rb") as file:
        tar.addfile(info, file)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
