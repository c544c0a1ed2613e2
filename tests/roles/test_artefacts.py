"""The role that downloads k3s to the control machine and copies it to nodes, without a node."""

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_playbook import PLAYBOOKS, ansible_playbook

VERSION = "v1.34.3+k3s1"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PROGRAM = "k3s" if ARCH == "amd64" else f"k3s-{ARCH}"
IMAGES = f"k3s-airgap-images-{ARCH}.tar.zst"
CHECKSUMS = f"sha256sum-{ARCH}.txt"
FOLDER = f"k3s/{VERSION}/{ARCH}"
PLAY = f"""
- name: Artefacts
  hosts: cluster
  gather_facts: false
  vars_files: ["{PLAYBOOKS}/group_vars/all.yml"]
  roles: [artefacts]
  tasks:
    - ansible.builtin.copy:
        content: "{{{{ artefacts_found | to_json }}}}"
        dest: "{{{{ artefacts_directory }}}}/found.json"
        mode: "0644"
"""


class Mirror:
    """A web server on 127.0.0.1 with one release, and the paths that it was asked for."""

    def __init__(self, root: Path) -> None:
        self.release = root / VERSION
        self.release.mkdir(parents=True)
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_request(self, *_: Any) -> None:
                asked.append(self.path.rsplit("/", 1)[-1])

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
        self.server = server
        self.url = f"http://127.0.0.1:{server.server_port}"

    def publish(self, **changed: bytes | None) -> None:
        """Lay the release out; `changed` files are not those that its list was made for."""
        files = {PROGRAM: b"#!/bin/sh\necho k3s\n", IMAGES: b"images"}
        lines = [f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items()]
        (self.release / CHECKSUMS).write_text("".join(lines))
        for name, text in (files | changed).items():
            (self.release / name).unlink(missing_ok=True)
            if text is not None:
                (self.release / name).write_bytes(text)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    mirror = Mirror(tmp_path / "mirror")
    mirror.publish()
    thread = threading.Thread(target=mirror.server.serve_forever)
    thread.start()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()
    thread.join()


class Site:
    """Two nodes that are directories of this machine, and the role that serves them."""

    def __init__(self, directory: Path, mirror: Mirror) -> None:
        self.directory = directory
        self.cache = directory / "cache"
        self.nodes = [directory / "node-1", directory / "node-2"]
        self.settings = {
            "lab_artefacts_cache": str(self.cache),
            "lab_k3s_mirror": mirror.url,
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }

    def run(
        self, extra: dict[str, Any] | None = None, **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the role with `settings` in the inventory and `extra` variables."""
        hosts = {node.name: {"lab_artefacts_dir": str(node)} for node in self.nodes}
        for node in self.nodes:
            node.mkdir(exist_ok=True)
        group = {"hosts": hosts, "vars": self.settings | settings}
        inventory = self.directory / "hosts.json"
        inventory.write_text(json.dumps({"all": {"children": {"cluster": group}}}))
        play = self.directory / "play.yml"
        play.write_text(PLAY)
        words = ("-i", inventory, "-e", json.dumps(extra or {}), play)
        return ansible_playbook(*words, home=self.directory)

    def files(self, root: Path) -> list[str]:
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


@pytest.fixture
def site(tmp_path: Path, mirror: Mirror) -> Site:
    return Site(tmp_path, mirror)


def image_archive(path: Path, *names: str) -> None:
    """Write an archive with images of these names as `lab` does, with its record."""
    path.parent.mkdir(parents=True)
    manifest = json.dumps([{"Config": "c.json", "RepoTags": [*names], "Layers": []}]).encode()
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(manifest)
        tar.addfile(entry, io.BytesIO(manifest))
    record(path)


def record(path: Path) -> None:
    status = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    values = {"sha256": digest, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    path.with_name(f"{path.name}.json").write_text(json.dumps(values))


def errors(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def changed(done: subprocess.CompletedProcess[str]) -> list[int]:
    return [int(count) for count in re.findall(r"changed=(\d+)", done.stdout)]


def test_a_release_is_downloaded_once_and_copied_to_every_node(site: Site, mirror: Mirror) -> None:
    first = site.run()
    assert first.returncode == 0, first.stdout + first.stderr
    expected = [f"{FOLDER}/{name}" for name in sorted([PROGRAM, IMAGES])]
    assert site.files(site.cache) == sorted([*expected, f"{FOLDER}/{CHECKSUMS}"])
    assert sorted(mirror.asked) == sorted([CHECKSUMS, PROGRAM, IMAGES])
    for node in site.nodes:
        assert site.files(node) == ["found.json", *expected]
        assert os.access(node / FOLDER / PROGRAM, os.X_OK)
        found = json.loads((node / "found.json").read_text())
        assert found["files"] == {"k3s": f"{FOLDER}/{PROGRAM}"}
        assert found["archives"] == [f"{FOLDER}/{IMAGES}"]
        assert found["versions"] == {"distribution": "k3s", "k3s": VERSION}
        assert not found["workloads"]

    mirror.asked.clear()
    again = site.run()
    assert again.returncode == 0, again.stdout + again.stderr
    assert changed(again) == [0, 0]
    assert mirror.asked == []


@pytest.mark.parametrize("file", [PROGRAM, IMAGES])
def test_a_wrong_checksum_is_one_clear_error_and_installs_nothing(
    site: Site, mirror: Mirror, file: str
) -> None:
    mirror.publish(**{file: b"something else"})
    done = site.run()
    assert done.returncode != 0
    assert len(re.findall("fatal: .*was not downloaded:", done.stdout)) == 1
    assert f"k3s {VERSION} was not downloaded: The checksum for" in errors(done)
    assert f"Check lab_k3s_version and lab_k3s_mirror ({mirror.url})" in errors(done)
    assert f"{FOLDER}/{file}" not in site.files(site.cache)
    assert [site.files(node) for node in site.nodes] == [[], []]


def test_a_release_without_the_file_is_said(site: Site, mirror: Mirror) -> None:
    mirror.publish(**{IMAGES: None})
    done = site.run()
    assert done.returncode != 0
    assert f"k3s {VERSION} was not downloaded: Request failed" in errors(done)
    assert f"put {FOLDER}/{PROGRAM} and {FOLDER}/{IMAGES}" in errors(done)
    assert [site.files(node) for node in site.nodes] == [[], []]


def test_a_mirror_that_does_not_answer_is_said(site: Site) -> None:
    done = site.run(lab_k3s_mirror="http://127.0.0.1:1")
    assert done.returncode != 0
    assert "was not downloaded: Request failed" in errors(done)
    assert "yourself" in errors(done)


def test_a_release_that_was_laid_into_the_cache_needs_no_mirror(site: Site, mirror: Mirror) -> None:
    release = site.cache / FOLDER
    release.mkdir(parents=True)
    for name in (PROGRAM, IMAGES):
        (release / name).write_bytes((mirror.release / name).read_bytes())
    done = site.run(lab_artefacts_mounted=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert mirror.asked == []
    # The nodes see the cache by themselves.
    assert [site.files(node) for node in site.nodes] == [["found.json"], ["found.json"]]


def test_a_damaged_file_of_the_cache_is_downloaded_again(site: Site, mirror: Mirror) -> None:
    assert site.run().returncode == 0
    (site.cache / FOLDER / PROGRAM).write_text("cut off")
    mirror.asked.clear()
    done = site.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert mirror.asked == [PROGRAM]
    assert (site.cache / FOLDER / PROGRAM).read_bytes() == (mirror.release / PROGRAM).read_bytes()


def test_kubeadm_without_its_files_says_who_makes_them(site: Site, mirror: Mirror) -> None:
    done = site.run(lab_distribution="kubeadm")
    assert done.returncode != 0
    assert f"lacks kubernetes/v1.34.3/{ARCH}/kubernetes" in errors(done)
    assert "`lab up --set lab_distribution=kubeadm`" in errors(done)
    assert mirror.asked == []


def test_kubeadm_takes_what_lab_has_made(site: Site) -> None:
    programs = [f"kubernetes/v1.34.3/{ARCH}/kubernetes", f"flannel-cni/0.9.1/{ARCH}/flannel-cni"]
    for program in programs:
        path = site.cache / program
        path.parent.mkdir(parents=True)
        path.write_text("program")
        record(path)
    archives = [f"image-{name}/1/{ARCH}/image.tar" for name in ("kubeadm", "mysql", "grid")]
    kubernetes = ("registry.k8s.io/kube-apiserver:v1.34.3", "registry.k8s.io/pause:3.10.1")
    image_archive(site.cache / archives[0], *kubernetes)
    image_archive(site.cache / archives[1], "docker.io/library/mysql:8.4")
    image_archive(site.cache / archives[2], "blackstart/grid:1")
    # Newer, but for another release of Kubernetes.
    other = site.cache / f"image-kubeadm/2/{ARCH}/image.tar"
    image_archive(other, "registry.k8s.io/kube-apiserver:v1.33.0")
    # Newer, but unfinished.
    image_archive(site.cache / f"image-grid/2/{ARCH}/image.tar", "blackstart/grid:2")
    (site.cache / f"image-grid/2/{ARCH}/image.tar.json").unlink()

    done = site.run(lab_distribution="kubeadm")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((site.nodes[0] / "found.json").read_text())
    assert found["workloads"]
    assert found["archives"] == archives
    assert found["images"]["grid"] == "blackstart/grid:1"
    assert found["images"]["mysql"] == "docker.io/library/mysql:8.4"
    assert found["images"]["pause"] == "registry.k8s.io/pause:3.10.1"
    assert found["versions"]["flannel-cni"] == "0.9.1"
    for node in site.nodes:
        assert site.files(node) == sorted(["found.json", *programs, *archives])


def test_what_lab_says_is_copied_as_it_is(site: Site, mirror: Mirror) -> None:
    program = site.cache / "k3s/laid/amd64/k3s"
    archive = site.cache / "image-k3s/1/amd64/image.tar"
    for path in (program, archive):
        path.parent.mkdir(parents=True)
        path.write_text("content")
    done = site.run(
        extra={
            "lab_artefacts": {"k3s": "k3s/laid/amd64/k3s", "grid": "not/for/nodes"},
            "lab_image_archives": ["image-k3s/1/amd64/image.tar"],
            "artefacts_found": {},
        }
    )
    assert done.returncode == 0, done.stdout + done.stderr
    expected = ["found.json", "image-k3s/1/amd64/image.tar", "k3s/laid/amd64/k3s"]
    assert site.files(site.nodes[0]) == expected
    assert mirror.asked == []
