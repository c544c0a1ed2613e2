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


TAG = "https://github.example/k3s-io/k3s/releases/tag/v1.34.3%2Bk3s1"


@pytest.mark.parametrize("channel", ["stable", "v1.34"])
def test_a_channel_stands_for_the_release_that_it_leads_to(k3s_mirror, channel) -> None:
    k3s_mirror.moved[f"/{channel}"] = TAG
    assert k3s.newest(channel, channels=f"{k3s_mirror.url}/") == "v1.34.3+k3s1"
    assert len(k3s_mirror.requests) == 1, "the release's own page is not asked for"


def test_a_channel_that_leads_nowhere_is_said_with_a_cure(k3s_mirror) -> None:
    with pytest.raises(LabError, match=r"channel 'stable' can't be asked\..* 404") as caught:
        k3s.newest("stable", channels=k3s_mirror.url)
    assert "Set lab_k3s_version to a release" in caught.value.cure
    k3s_mirror.moved["/latest"] = "https://example.org/login"
    with pytest.raises(LabError, match=r"leads to https://example\.org/login, no release"):
        k3s.newest("latest", channels=k3s_mirror.url)
    k3s_mirror.files["/v1.34"] = b"hello"
    with pytest.raises(LabError, match="points to nothing else"):
        k3s.newest("v1.34", channels=k3s_mirror.url)


@pytest.mark.parametrize(
    ("version", "is_channel"), [("v1.34.3+k3s1", False), ("stable", True), ("v1.34", True)]
)
def test_channels_and_releases_are_told_apart(version, is_channel) -> None:
    assert k3s.is_channel(version) is is_channel
