"""openPDC's image: of a program that the user laid into the cache, or its publisher's."""

import io
import tarfile
from pathlib import Path

import pytest

from lab import bundle
from lab.artefacts.cache import Cache
from lab.artefacts.jobs import Job
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.images import debian, hub, openpdc, upstream


@pytest.fixture
def job() -> Job:
    return Job("openPDC")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "answers", lambda: False)


def lay_in(cache: Cache, version: str, *names: str) -> Path:
    path = cache.root / "openpdc" / version / "any" / "openPDC.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def test_the_newest_program_in_the_cache_makes_the_image(
    cache: Cache, job: Job, away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bootstrap(_wanted, _arch, target: Path, _job) -> dict[str, str]:
        with tarfile.open(target, "w"):
            return {"mono-runtime": "6.8"}

    monkeypatch.setattr(debian, "_bootstrap", bootstrap)
    lay_in(cache, "2.9.148", "./openPDC.exe", "./GSF.Core.dll")
    lay_in(cache, "2.10", "./openPDC.exe")
    assert openpdc.check_available("amd64", cache) == "openPDC 2.10, laid into the cache"
    assert openpdc.needs_root("amd64", cache)

    image = openpdc.image(arch="amd64", cache=cache, job=job)

    assert image.version == "2.10"
    assert image.name.startswith("blackstart/openpdc:2.10-")
    assert cache.find(image.archive) is not None
    assert not openpdc.needs_root("amd64", cache)
    # Another program of the same version is another image.
    lay_in(cache, "2.10", "./openPDC.exe", "./MySql.Data.dll")
    assert openpdc.image(arch="amd64", cache=cache, job=job).name != image.name


@pytest.mark.parametrize("content", [b"no archive", None])
def test_what_is_no_program_is_refused_with_the_command_that_makes_one(
    cache: Cache, content: bytes | None
) -> None:
    path = lay_in(cache, "2.9", "openPDC/openPDC.exe")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LabError, match=r"openPDC\.tar\.gz is not openPDC: ") as caught:
        openpdc.check_available("amd64", cache)
    assert "tar -C FOLDER -czf openPDC.tar.gz ." in caught.value.cure


def test_without_program_and_registry_it_says_how_to_go_on(cache: Cache, away: None) -> None:
    with pytest.raises(LabError, match="there is no openPDC") as caught:
        bundle.pdc(Settings(lab_pdc="openpdc"), cache)
    assert f"{cache.root}/openpdc/VERSION/any/openPDC.tar.gz" in caught.value.cure
    assert "set lab_pdc to grid" in caught.value.cure
    assert bundle.pdc(Settings(), cache) == "PDC: grid, the kit's own"


def test_the_publishers_image_is_pulled_where_its_registry_answers(
    cache: Cache, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(name: str, target: Path, *, arch: str, job: Job, cure: str) -> str:
        assert "lab_pdc" in cure
        target.write_text(name)
        return "pulled"

    monkeypatch.setattr(hub, "answers", lambda: True)
    monkeypatch.setattr(upstream, "pull", pull)
    assert openpdc.check_available("amd64", cache).endswith("from its registry")
    assert not openpdc.needs_root("amd64", cache)
    image = openpdc.image(arch="amd64", cache=cache, job=job)
    assert (image.name, image.version) == (openpdc.UPSTREAM, "2.9.148")
    monkeypatch.setattr(hub, "answers", lambda: pytest.fail("asked the registry"))
    assert openpdc.check_available("amd64", cache).endswith("in the cache")
