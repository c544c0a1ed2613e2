#!/usr/bin/python3
"""Ansible module: which files of a distribution the control machine's artefact cache has."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: cached_artefacts
short_description: What the artefact cache has of a distribution and of the workloads
description:
  - Looks into a directory with the layout C(<name>/<version>/<architecture>/<file>), which
    C(lab) and the role artefacts fill. It changes nothing.
  - Files that C(lab) made count when the record beside them (C(<file>.json)) agrees with them;
    files of a k3s release when the release's own list of checksums does, where that is there.
  - Where an artefact has several versions that fit, the newest counts.
options:
  cache:
    description: Root of the cache.
    type: path
    required: true
  distribution:
    description: What the cluster is made of.
    type: str
    choices: [k3s, kubeadm]
    required: true
  version:
    description: Its release, such as v1.34.3+k3s1 or v1.34.3.
    type: str
    required: true
  arch:
    description: Architecture of the nodes.
    type: str
    choices: [amd64, arm64]
    required: true
  storage:
    description: What the volumes are on; local-path has an image of its own.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Look into the cache
  cached_artefacts:
    cache: ~/.cache/blackstart
    distribution: k3s
    version: v1.34.3+k3s1
    arch: amd64
  delegate_to: localhost
  register: found
"""

RETURN = r"""
files:
  description: Programs, by name, as paths below the cache's root.
  returned: always
  type: dict
archives:
  description: Archives of images that every node imports, as paths below the cache's root.
  returned: always
  type: list
  elements: str
images:
  description: Names of images in the archives, by the last part of their repository.
  returned: always
  type: dict
versions:
  description: Releases of what was found, by name.
  returned: always
  type: dict
missing:
  description: Paths below the cache's root of what the distribution needs and the cache lacks.
  returned: always
  type: list
  elements: str
damaged:
  description: Those of RV(missing) that are there, with another content than recorded.
  returned: always
  type: list
  elements: str
workloads:
  description: Whether the images of the PMU, the PDC and MySQL are among them.
  returned: always
  type: bool
"""

_CHUNK = 1 << 20
_COREDNS_OF_K3S = "rancher/mirrored-coredns-coredns"
_OF_WORKLOADS = ("mysql", "grid")


class _Found:
    """What was found, as the module returns it."""

    def __init__(self, root: Path, distribution: str, version: str, arch: str) -> None:
        self.root = root
        self.arch = arch
        self.files: dict[str, str] = {}
        self.archives: list[str] = []
        self.images: dict[str, str] = {}
        self.versions = {"distribution": distribution}
        self.missing: list[str] = []
        self.damaged: list[str] = []
        self._version = version

    def kubeadm(self) -> None:
        """Look for the programs and images that `lab` builds for kubeadm."""
        version = self._version
        program = self.root / "kubernetes" / version / self.arch / "kubernetes"
        self._program("kubernetes", version, program if self._whole(program) else None)
        plugin = next(self._newest("flannel-cni", "flannel-cni"), None)
        self._program("flannel-cni", plugin.parts[-3] if plugin else "*", plugin)
        for archive in self._newest("image-kubeadm", "image.tar"):
            names = _names(archive)
            if any(name.endswith(f"/kube-apiserver:{version}") for name in names):
                self._archive(archive, names)
                return
        self.missing.append(f"image-kubeadm/*/{self.arch}/image.tar")

    def k3s(self) -> None:
        """Look for the files of a k3s release, under the release's own names."""
        arch, release = self.arch, self.root / "k3s" / self._version / self.arch
        digests = _digests(release / f"sha256sum-{arch}.txt")
        program = release / ("k3s" if arch == "amd64" else f"k3s-{arch}")
        self._program("k3s", self._version, program if self._listed(program, digests) else None)
        archive = release / f"k3s-airgap-images-{arch}.tar.zst"
        if self._listed(archive, digests):
            self.archives.append(self._below(archive))
            return
        # What `lab` makes where the release's own archive can't be reached.
        for built in self._newest("image-k3s", "image.tar"):
            names = _names(built)
            if any(_COREDNS_OF_K3S in name for name in names):
                self._archive(built, names)
                return
        self.missing.append(self._below(archive))

    def workloads(self) -> bool:
        """Look for the images of the workloads; take all or none."""
        newest = [next(self._newest(f"image-{n}", "image.tar"), None) for n in _OF_WORKLOADS]
        archives = [archive for archive in newest if archive is not None]
        if len(archives) < len(newest):
            return False
        for archive in archives:
            self._archive(archive, _names(archive))
        return True

    def storage(self, backend: str) -> None:
        """Take the image of a backend that has one; where it is not there, nodes pull it."""
        if backend == "local-path":
            for archive in self._newest("image-local-path", "image.tar"):
                self._archive(archive, _names(archive))
                return

    def _program(self, name: str, version: str, path: Path | None) -> None:
        if path is None:
            file = f"k3s-{self.arch}" if (name, self.arch) == ("k3s", "arm64") else name
            self.missing.append(f"{name}/{version}/{self.arch}/{file}")
        else:
            self.files[name] = self._below(path)
            self.versions[name] = version

    def _archive(self, path: Path, names: list[str]) -> None:
        self.archives.append(self._below(path))
        for name in names:
            repository, _, tag = name.rpartition(":")
            self.images[repository.rsplit("/", 1)[-1]] = name
            self.versions.setdefault(repository.rsplit("/", 1)[-1], tag)

    def _newest(self, name: str, file: str) -> Iterator[Path]:
        """Yield the finished files of an artefact, the newest first."""
        there = [path for path in self.root.glob(f"{name}/*/{self.arch}/{file}") if path.is_file()]
        for path in sorted(there, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            if self._whole(path):
                yield path

    def _whole(self, path: Path) -> bool:
        """Tell whether a file is what its record says; without a record it is unfinished."""
        try:
            record = json.loads(path.with_name(f"{path.name}.json").read_text())
            status = path.stat()
            if (status.st_size, status.st_mtime_ns) == (record["size"], record["mtime_ns"]):
                return True
            if _sha256(path) == record["sha256"]:
                return True
        except (OSError, ValueError, KeyError, TypeError):
            return False
        self.damaged.append(self._below(path))
        return False

    def _listed(self, path: Path, digests: dict[str, str] | None) -> bool:
        """Tell whether a release's file is the one of its list; without a list, any is."""
        if not path.is_file():
            return False
        if digests is None or digests.get(path.name) == _sha256(path):
            return True
        self.damaged.append(self._below(path))
        return False

    def _below(self, path: Path) -> str:
        return str(path.relative_to(self.root))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "cache": {"type": "path", "required": True},
            "distribution": {"choices": ["k3s", "kubeadm"], "required": True},
            "version": {"type": "str", "required": True},
            "arch": {"choices": ["amd64", "arm64"], "required": True},
            "storage": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    wanted: dict[str, Any] = module.params
    root = Path(wanted["cache"])
    found = _Found(root, wanted["distribution"], wanted["version"], wanted["arch"])
    if wanted["distribution"] == "k3s":
        found.k3s()
    else:
        found.kubeadm()
    workloads = found.workloads()
    found.storage(wanted["storage"])
    module.exit_json(
        changed=False,
        files=found.files,
        archives=found.archives,
        images=found.images,
        versions=found.versions,
        missing=found.missing,
        damaged=found.damaged,
        workloads=workloads,
    )


def _names(archive: Path) -> list[str]:
    """Return the names of the images in an archive; none where it is not one."""
    try:
        with tarfile.open(archive) as tar:
            manifest = tar.extractfile("manifest.json")
            images = json.load(manifest) if manifest else []
    except (OSError, ValueError, KeyError, tarfile.TarError):
        return []
    return [name for image in images for name in image.get("RepoTags") or []]


def _digests(file: Path) -> dict[str, str] | None:
    """Return the digests of a release's list, by file name; None where there is no list."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    pairs = [line.split(maxsplit=1) for line in lines if len(line.split(maxsplit=1)) == 2]
    return {name.lstrip("*").rsplit("/", 1)[-1]: digest.lower() for digest, name in pairs}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
