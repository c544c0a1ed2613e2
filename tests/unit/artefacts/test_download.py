import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.artefacts import download
from lab.console.errors import LabError

CONTENT = bytes(range(256)) * 8000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture(autouse=True)
def _no_pause_between_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.time, "sleep", lambda _seconds: None)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def silent(_text: str) -> None:
    pass


def test_the_file_arrives_whole(mirror, target: Path) -> None:
    mirror.files["/file"] = CONTENT

    download.fetch(f"{mirror.url}/file", target, notify=silent)

    assert target.read_bytes() == CONTENT


def test_a_cut_off_transfer_is_taken_up_where_it_ended(mirror, target: Path) -> None:
    mirror.files["/file"] = CONTENT
    mirror.cut_after = [500_000, 700_000]

    download.fetch(f"{mirror.url}/file", target, notify=silent)

    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in mirror.requests] == ["", "bytes=500000-", "bytes=1200000-"]


def test_a_server_without_ranges_begins_anew(mirror, target: Path) -> None:
    mirror.files["/file"] = CONTENT
    mirror.cut_after = [500_000]
    mirror.ranges = False

    download.fetch(f"{mirror.url}/file", target, notify=silent)

    assert target.read_bytes() == CONTENT


def test_a_transfer_that_is_always_cut_off_fails(mirror, target: Path) -> None:
    mirror.files["/file"] = CONTENT
    mirror.cut_after = [1000, 1000, 1000]

    with pytest.raises(LabError, match="3 tries: the transfer was cut off"):
        download.fetch(f"{mirror.url}/file", target, notify=silent)


def test_an_absent_file_is_not_tried_again(mirror, target: Path) -> None:
    with pytest.raises(LabError, match="does not exist there") as caught:
        download.fetch(f"{mirror.url}/file", target, notify=silent)

    assert "version" in caught.value.cure
    assert len(mirror.requests) == 1


def test_a_silent_server_is_given_up(mirror, target: Path) -> None:
    mirror.silent.set()
    began = time.monotonic()

    with pytest.raises(LabError, match=r"3 tries: .*timed out"):
        download.fetch(f"{mirror.url}/file", target, notify=silent, limit_s=0.2)

    assert time.monotonic() - began < 5


def test_nobody_at_the_address(target: Path, closed_port: int) -> None:
    with pytest.raises(LabError, match=r"3 tries: .*refused") as caught:
        download.fetch(f"http://127.0.0.1:{closed_port}/file", target, notify=silent)

    assert "mirror" in caught.value.cure


def test_a_full_disk_is_not_taken_for_the_network(mirror) -> None:
    mirror.files["/file"] = CONTENT

    with pytest.raises(OSError, match="No space left"):
        download.fetch(f"{mirror.url}/file", Path("/dev/full"), notify=silent)


def test_absent_says_why(mirror, closed_port: int) -> None:
    mirror.files["/file"] = CONTENT
    mirror.cut_after = [10]
    began = time.monotonic()

    assert download.absent(f"{mirror.url}/file", limit_s=1) is None
    assert "404" in download.absent(f"{mirror.url}/other", limit_s=1)
    assert "refused" in download.absent(f"http://127.0.0.1:{closed_port}/", limit_s=1)
    mirror.silent.set()
    assert "timed out" in download.absent(f"{mirror.url}/file", limit_s=0.2)
    assert time.monotonic() - began < 3
