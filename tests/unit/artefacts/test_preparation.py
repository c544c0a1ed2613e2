import json
import tarfile
import time
from pathlib import Path

import pytest

from lab.artefacts import download, golang, k3s, programs
from lab.artefacts.cache import Artefact, Cache, machine_architecture
from lab.bundle import preparation, prepare
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.host import packages, privileges
from lab.images import debian, hub
from lab.providers.container import node_image

ARCH = machine_architecture()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have Go and mmdebstrap replaced by what writes a few bytes; return what was made."""
    made: list[str] = []

    def compile_it(program, *, arch, cache, go, job) -> Artefact:
        def make(target: Path) -> str:
            made.append(program.name)
            job.update("compiling")
            target.write_bytes(program.name.encode())
            return "test"

        artefact = program.artefact(arch)
        cache.get_or_make(artefact, make, notify=job.update, inputs=program.inputs)
        return artefact

    def bootstrap(described, arch, raw, job) -> dict[str, str]:
        made.append(described.suite)
        with tarfile.open(raw, "w"):
            pass
        return {"mysql-server-core": "9.7.4-2"}

    monkeypatch.setattr(golang, "build", compile_it)
    monkeypatch.setattr(debian, "_bootstrap", bootstrap)
    monkeypatch.setattr(hub, "answers", lambda: False)
    monkeypatch.setattr(download, "TRIES", 1)
    monkeypatch.setattr(packages, "ensure", lambda programs, progress: None)
    monkeypatch.setattr(privileges, "authorise", lambda purposes: None)
    return made


def tags(cache: Cache, relative: str) -> set[str]:
    with tarfile.open(cache.root / relative) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
    return {tag for image in manifest for tag in image["RepoTags"]}


def test_root_and_its_programs_are_asked_for_only_while_something_is_missing(
    cache: Cache, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(privileges, "authorise", asked.extend)
    monkeypatch.setattr(packages, "ensure", lambda programs, _: asked.extend(programs))
    assert preparation.requirements(cache).programs == {"mmdebstrap": "mmdebstrap"}

    prepare("kubeadm", Settings(), cache, Silent())

    assert asked[:2] == ["mmdebstrap", "make the images' Debian layers"]
    assert "gcc" in asked
    asked.clear()
    assert preparation.requirements(cache).programs == {}
    prepare("kubeadm", Settings(), cache, Silent())
    assert asked == []


def test_a_kubeadm_bundle_is_complete(cache: Cache, quick: list[str]) -> None:
    bundle = prepare("kubeadm", Settings(), cache, Silent())

    assert {"kubernetes", "etcd", "flannel-cni"} <= bundle.files.keys()
    for relative in [*bundle.files.values(), *bundle.image_archives]:
        assert (cache.root / relative).is_file()
        assert f"/{ARCH}/" in relative
    # Nodes know an image only by the archive that brings it.
    brought = set().union(*(tags(cache, relative) for relative in bundle.image_archives))
    assert set(bundle.images.values()) <= brought
    assert {
        "registry.k8s.io/kube-apiserver:v1.34.3",
        "registry.k8s.io/kube-proxy:v1.34.3",
        "registry.k8s.io/etcd:3.6.5-0",
        "registry.k8s.io/coredns/coredns:v1.12.1",
        "registry.k8s.io/pause:3.10.1",
    } <= brought
    assert bundle.versions["kubernetes"] == "v1.34.3"
    assert bundle.versions["mysql"] == "9.7.4"


def test_a_second_time_nothing_is_made(cache: Cache, quick: list[str]) -> None:
    first = prepare("kubeadm", Settings(), cache, Silent())
    quick.clear()

    assert prepare("kubeadm", Settings(), cache, Silent()) == first
    assert quick == []


def test_layers_of_the_same_packages_are_made_once(cache: Cache, quick: list[str]) -> None:
    also = {"node image": lambda job: node_image.archive(cache, job)}
    prepare("kubeadm", Settings(), cache, Silent(), also=also)

    # The node's, the one of kube-proxy and flannel, grid's; and MySQL's.
    assert sorted(name for name in quick if name in ("bookworm", "sid")) == [
        "bookworm",
        "bookworm",
        "bookworm",
        "sid",
    ]


def test_a_k3s_bundle_holds_the_release(k3s_mirror, cache: Cache, quick: list[str]) -> None:
    bundle = prepare("k3s", Settings(lab_k3s_mirror=k3s_mirror.url), cache, Silent())

    program = "k3s" if ARCH == "amd64" else f"k3s-{ARCH}"
    assert bundle.files == {"k3s": f"k3s/v1.34.3+k3s1/{ARCH}/{program}"}
    assert bundle.image_archives[0].endswith(f"k3s-airgap-images-{ARCH}.tar.zst")
    assert {"mysql", "grid"} <= bundle.images.keys()
    assert "coredns" not in quick


def test_k3s_without_its_images_gets_ours(cache: Cache, quick: list[str]) -> None:
    settings = Settings(lab_k3s_mirror="http://127.0.0.1:9")
    release = k3s.Release(version=settings.lab_k3s_version, arch=ARCH, mirror="")
    path = cache.path(release.program)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"k3s")
    path.with_name("k3s-images.txt").write_text(
        "docker.io/rancher/mirrored-coredns-coredns:1.13.1\ndocker.io/rancher/mirrored-pause:3.6\n"
    )

    bundle = prepare("k3s", settings, cache, Silent())

    assert "rancher/mirrored-pause:3.6" in tags(cache, bundle.image_archives[0])
    assert any("mirrored-coredns-coredns" in tag for tag in tags(cache, bundle.image_archives[0]))
    assert "kubernetes" not in quick


def test_k3s_that_cannot_be_had_is_said(cache: Cache, quick: list[str]) -> None:
    with pytest.raises(LabError, match="could not be downloaded"):
        prepare("k3s", Settings(lab_k3s_mirror="http://127.0.0.1:9"), cache, Silent())


def test_a_failure_keeps_what_is_finished(
    cache: Cache, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = programs.kubernetes("v1.34.3")

    def kubernetes() -> Path | None:
        return cache.find(program.artefact(ARCH), inputs=program.inputs)

    def fails(*_args: object, **_kwargs: object) -> None:
        deadline = time.monotonic() + 10
        while kubernetes() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        raise LabError("no MySQL today")

    monkeypatch.setattr(preparation.mysql, "image", fails)

    with pytest.raises(LabError, match="no MySQL today"):
        prepare("kubeadm", Settings(), cache, Silent())

    assert kubernetes() is not None
