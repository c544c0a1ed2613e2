import os

import pytest

from lab.artefacts import download, k3s
from lab.artefacts.cache import Cache
from lab.artefacts.jobs import Job
from lab.console.errors import LabError

BELOW = "/v1.34.3+k3s1/"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def job(said: list[str]) -> Job:
    return Job("k3s", notify=said.append)


@pytest.fixture(autouse=True)
def _no_pause_between_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.time, "sleep", lambda _seconds: None)


def release(mirror_url: str, *, version: str = "v1.34.3+k3s1", arch: str = "amd64") -> k3s.Release:
    return k3s.Release(version=version, arch=arch, mirror=mirror_url)


def lay_in(cache: Cache, artefact, content: bytes):
    path = cache.path(artefact)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_plus_of_a_version_is_quoted() -> None:
    wanted = release("https://example.org/releases/")

    assert wanted.url(wanted.program) == "https://example.org/releases/v1.34.3%2Bk3s1/k3s"


@pytest.mark.parametrize(
    ("arch", "program"), [("amd64", "k3s"), ("arm64", "k3s-arm64")], ids=["amd64", "arm64"]
)
def test_the_release_is_downloaded_once(k3s_mirror, cache: Cache, job: Job, arch, program) -> None:
    wanted = release(k3s_mirror.url, arch=arch)
    for _ in range(2):
        binary = k3s.binary(wanted, cache=cache, job=job)
        images = k3s.images(wanted, cache=cache, job=job)

    assert binary.relative == f"k3s/v1.34.3+k3s1/{arch}/{program}"
    assert cache.path(binary).read_bytes() == k3s_mirror.files[BELOW + program]
    assert os.access(cache.path(binary), os.X_OK)
    assert cache.path(images).read_bytes().startswith(arch.encode())
    programs = [path for path, _ in k3s_mirror.requests if path.endswith(program)]
    assert len(programs) == 1


def test_a_wrong_checksum_is_refused(k3s_mirror, cache: Cache, job: Job) -> None:
    k3s_mirror.files[BELOW + "k3s"] = b"something else"
    wanted = release(k3s_mirror.url)

    with pytest.raises(LabError, match="is not the file that its release lists") as caught:
        k3s.binary(wanted, cache=cache, job=job)

    assert "lab_k3s_mirror" in caught.value.cure
    assert not k3s.cached(wanted, cache=cache)


def test_a_cut_off_transfer_ends_right(k3s_mirror, cache: Cache, job: Job) -> None:
    whole = len(k3s_mirror.files[BELOW + "sha256sum-amd64.txt"])
    k3s_mirror.cut_after = [whole, 1000]  # The checksums, then the program.
    wanted = release(k3s_mirror.url)

    binary = k3s.binary(wanted, cache=cache, job=job)

    assert cache.path(binary).read_bytes() == k3s_mirror.files[BELOW + "k3s"]


def test_a_transfer_that_never_ends_leaves_nothing(k3s_mirror, cache: Cache, job: Job) -> None:
    k3s_mirror.cut_after = [1000, 10, 10, 10]
    wanted = release(k3s_mirror.url)

    with pytest.raises(LabError, match="cut off"):
        k3s.binary(wanted, cache=cache, job=job)

    assert not k3s.cached(wanted, cache=cache)


def test_an_absent_version_is_said(k3s_mirror, cache: Cache, job: Job) -> None:
    wanted = release(k3s_mirror.url, version="v1.99.0+k3s1")

    with pytest.raises(LabError, match=r"v1\.99\.0%2Bk3s1.* does not exist there"):
        k3s.binary(wanted, cache=cache, job=job)
    assert "404" in k3s.reachable(wanted)


def test_a_release_without_the_checksum_is_refused(k3s_mirror, cache: Cache, job: Job) -> None:
    k3s_mirror.files[BELOW + "sha256sum-amd64.txt"] = b"0000  other\n"

    with pytest.raises(LabError, match="lists no checksum of k3s"):
        k3s.binary(release(k3s_mirror.url), cache=cache, job=job)


def test_files_laid_in_need_no_mirror(cache: Cache, job: Job, said: list[str]) -> None:
    wanted = release("http://127.0.0.1:9")
    lay_in(cache, wanted.program, b"k3s by hand")

    assert k3s.cached(wanted, cache=cache)
    assert cache.path(k3s.binary(wanted, cache=cache, job=job)).read_bytes() == b"k3s by hand"
    assert "unchecked, SHA-256" in said[0]
    assert k3s.images(wanted, cache=cache, job=job) is None


def test_files_laid_in_are_checked_where_possible(k3s_mirror, cache: Cache, job: Job) -> None:
    wanted = release("http://127.0.0.1:9")
    lay_in(cache, wanted.checksums, k3s_mirror.files[BELOW + "sha256sum-amd64.txt"])
    path = lay_in(cache, wanted.program, k3s_mirror.files[BELOW + "k3s"][:-1])

    with pytest.raises(LabError, match="damaged or incomplete") as caught:
        k3s.binary(wanted, cache=cache, job=job)
    assert "Copy it there again" in caught.value.cure

    path.write_bytes(k3s_mirror.files[BELOW + "k3s"])
    k3s.binary(wanted, cache=cache, job=job)
    path.write_bytes(b"damaged later")
    with pytest.raises(LabError, match="damaged or incomplete"):
        k3s.binary(wanted, cache=cache, job=job)


def test_a_damaged_download_is_fetched_again(
    k3s_mirror, cache: Cache, job: Job, said: list[str]
) -> None:
    wanted = release(k3s_mirror.url)
    path = cache.path(k3s.binary(wanted, cache=cache, job=job))
    path.write_bytes(b"bit rot")

    k3s.binary(wanted, cache=cache, job=job)

    assert path.read_bytes() == k3s_mirror.files[BELOW + "k3s"]
    assert any("damaged" in text for text in said)


def test_names_of_the_images_that_k3s_asks_for(cache: Cache) -> None:
    wanted = release("http://127.0.0.1:9", version="v1.33.3+k3s1")
    assert (
        "rancher/mirrored-coredns-coredns:1.12.1"
        in k3s.fallback_names(wanted, cache=cache)["coredns"]
    )

    unknown = release("http://127.0.0.1:9", version="v1.99.0+k3s1")
    with pytest.raises(LabError, match="not known here"):
        k3s.fallback_names(unknown, cache=cache)

    listed = lay_in(cache, unknown.program, b"").with_name("k3s-images.txt")
    listed.write_text(
        "docker.io/rancher/mirrored-coredns-coredns:9.9\ndocker.io/rancher/mirrored-pause:3.7\n"
    )
    assert k3s.fallback_names(unknown, cache=cache) == {
        "coredns": ["rancher/mirrored-coredns-coredns:9.9"],
        "pause": ["rancher/mirrored-pause:3.7"],
    }
