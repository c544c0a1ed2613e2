"""Images of openPDC and of iPDC's simulator: of what the user laid in, or their publishers'."""

import io
import tarfile
from pathlib import Path

import pytest

from lab import bundle
from lab.artefacts.cache import Cache
from lab.artefacts.jobs import Job
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.images import debian, hub, upstream
from lab.images.foreign import ForeignSoftware
from lab.images.ipdc import IPDC
from lab.images.openpdc import OPENPDC

BOTH = pytest.mark.parametrize("software", [OPENPDC, IPDC], ids=lambda one: one.name)
LINES = {"openpdc": bundle.pdc, "ipdc": bundle.pmu}


@pytest.fixture
def job() -> Job:
    return Job("test")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "answers", lambda: False)


def lay_in(software: ForeignSoftware, cache: Cache, version: str, content: bytes) -> Path:
    folder = "amd64" if software.machine_code else "any"
    path = cache.root / software.program / version / folder / software.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def archive(*names: str) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return written.getvalue()


def elf(kind: int = 3, machine: int = 62, bits: bytes = b"\x02") -> bytes:
    words = kind.to_bytes(2, "little") + machine.to_bytes(2, "little")
    return b"\x7fELF" + bits + b"\x01\x01" + bytes(9) + words


def program(software: ForeignSoftware) -> bytes:
    return archive("./openPDC.exe", "./GSF.Core.dll") if software is OPENPDC else elf()


@BOTH
def test_the_newest_program_in_the_cache_makes_the_image(
    software: ForeignSoftware, cache: Cache, job: Job, away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bootstrap(_wanted, _arch, target: Path, _job) -> dict[str, str]:
        with tarfile.open(target, "w"):
            return {"libc6": "2.36"}

    monkeypatch.setattr(debian, "_bootstrap", bootstrap)
    lay_in(software, cache, "2.9.148", program(software))
    lay_in(software, cache, "2.10", program(software))
    said = f"{software.title} 2.10, laid into the cache"
    assert software.check_available("amd64", cache) == said
    assert software.needs_root("amd64", cache)

    image = software.image(arch="amd64", cache=cache, job=job)

    assert image.version == "2.10"
    assert image.name.startswith(f"blackstart/{software.name}:2.10-")
    assert cache.find(image.archive) is not None
    assert not software.needs_root("amd64", cache)
    # Another program of the same version is another image.
    other = archive("./openPDC.exe") if software is OPENPDC else elf(kind=2) + b"more"
    lay_in(software, cache, "2.10", other)
    assert software.image(arch="amd64", cache=cache, job=job).name != image.name


@pytest.mark.parametrize(
    ("software", "content", "why", "cure"),
    [
        (OPENPDC, b"no archive", "not a gzip file", "tar -C FOLDER -czf openPDC.tar.gz ."),
        (OPENPDC, archive("openPDC/openPDC.exe"), "no openPDC.exe at its top", "tar -C FOLDER"),
        (IPDC, b"#!/bin/sh\n", "no ELF executable", "that takes `-i FILE`"),
        (IPDC, elf(machine=183), "another architecture than amd64", "built for this machine"),
        (IPDC, elf(machine=3, bits=b"\x01"), "another architecture than amd64", "lab_pmu to grid"),
        (IPDC, elf(kind=1), "an ELF file, but no executable", "lab_pmu to grid"),
    ],
)
def test_what_is_no_program_is_refused_with_the_cure(
    software: ForeignSoftware, cache: Cache, content: bytes, why: str, cure: str
) -> None:
    path = lay_in(software, cache, "2.9", content)
    with pytest.raises(LabError) as caught:
        software.check_available("amd64", cache)
    assert str(caught.value).startswith(f"{path} is not {software.title}: ")
    assert why in str(caught.value)
    assert cure in caught.value.cure


@BOTH
def test_without_program_and_registry_it_says_how_to_go_on(
    software: ForeignSoftware, cache: Cache, away: None
) -> None:
    line = LINES[software.name]
    with pytest.raises(LabError, match=f"asks for {software.title}, but there is none") as caught:
        line(Settings.model_validate({software.setting: software.name}), cache)
    assert f"{cache.root}/{software.program}/VERSION/" in caught.value.cure
    assert f"set {software.setting} to grid" in caught.value.cure
    assert line(Settings(), cache).endswith(": grid, the kit's own")


@BOTH
def test_the_publishers_image_is_pulled_where_its_registry_answers(
    software: ForeignSoftware, cache: Cache, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(name: str, target: Path, *, arch: str, job: Job, cure: str) -> str:
        assert software.setting in cure
        target.write_text(name)
        return "pulled"

    monkeypatch.setattr(hub, "answers", lambda: True)
    monkeypatch.setattr(upstream, "pull", pull)
    assert software.check_available("amd64", cache).endswith("from its registry")
    assert not software.needs_root("amd64", cache)
    image = software.image(arch="amd64", cache=cache, job=job)
    assert image.name == software.upstream
    assert image.version == {"openpdc": "2.9.148", "ipdc": "latest"}[software.name]
    monkeypatch.setattr(hub, "answers", lambda: pytest.fail("asked the registry"))
    assert software.check_available("amd64", cache).endswith("in the cache")
