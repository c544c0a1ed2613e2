import errno
import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from lab.artefacts.cache import Artefact, Cache
from lab.console.errors import LabError


def writes(content: bytes):
    def make(target: Path) -> str:
        target.write_bytes(content)
        return "written by a test"

    return make


def refuses(_target: Path) -> str:
    pytest.fail("made again, although it was finished")


def silent(_text: str) -> None:
    pass


def test_a_finished_file_is_made_once(cache: Cache, artefact: Artefact) -> None:
    path = cache.get_or_make(artefact, writes(b"content"), notify=silent)

    assert path == cache.root / "thing/1.0/amd64/thing.bin"
    assert cache.get_or_make(artefact, refuses, notify=silent).read_bytes() == b"content"


def test_the_record_says_what_the_file_is(cache: Cache, artefact: Artefact) -> None:
    path = cache.get_or_make(artefact, writes(b"content"), notify=silent)

    record = json.loads(path.with_name("thing.bin.json").read_text())
    assert record["sha256"] == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    assert record["size"] == 7
    assert record["made"] == "written by a test"


def test_a_file_without_a_record_does_not_count(cache: Cache, artefact: Artefact) -> None:
    path = cache.get_or_make(artefact, writes(b"old"), notify=silent)
    path.with_name("thing.bin.json").unlink()

    assert cache.find(artefact) is None
    assert cache.get_or_make(artefact, writes(b"new"), notify=silent).read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_a_failed_making_leaves_nothing(
    cache: Cache, artefact: Artefact, error: BaseException
) -> None:
    def breaks(target: Path) -> str:
        target.write_bytes(b"half")
        raise error

    with pytest.raises(type(error)):
        cache.get_or_make(artefact, breaks, notify=silent)

    assert cache.find(artefact) is None
    left = {path.name for path in cache.path(artefact).parent.iterdir()}
    assert left == {".thing.bin.lock"}


def test_what_a_killed_run_left_is_removed(cache: Cache, artefact: Artefact) -> None:
    folder = cache.path(artefact).parent
    folder.mkdir(parents=True)
    for name in (".thing.bin.4711.part", ".thing.bin.4711.part.raw"):
        (folder / name).write_bytes(b"half")

    cache.get_or_make(artefact, writes(b"content"), notify=silent)

    assert list(folder.glob("*.4711.*")) == list(folder.glob(".*.4711.*")) == []


def test_a_damaged_file_is_named_and_made_again(cache: Cache, artefact: Artefact) -> None:
    path = cache.get_or_make(artefact, writes(b"content"), notify=silent)
    path.write_bytes(b"cont")
    said: list[str] = []

    again = cache.get_or_make(artefact, writes(b"content"), notify=said.append)

    assert again.read_bytes() == b"content"
    assert len(said) == 1
    assert str(path) in said[0]
    assert "damaged" in said[0]


def test_a_changed_time_alone_does_not_make_it_again(cache: Cache, artefact: Artefact) -> None:
    path = cache.get_or_make(artefact, writes(b"content"), notify=silent)
    os.utime(path, (1, 1))

    cache.get_or_make(artefact, refuses, notify=silent)

    assert cache.record(artefact).mtime_ns == path.stat().st_mtime_ns


def test_verify_finds_a_change_that_time_and_size_hide(cache: Cache, artefact: Artefact) -> None:
    path = cache.get_or_make(artefact, writes(b"content"), notify=silent)
    times = path.stat()
    path.write_bytes(b"CONTENT")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert cache.find(artefact) == path
    assert Cache(cache.root, verify=True).find(artefact) is None


def test_other_inputs_make_it_again(cache: Cache, artefact: Artefact) -> None:
    cache.get_or_make(artefact, writes(b"old"), notify=silent, inputs="a")

    assert cache.find(artefact, inputs="b") is None
    path = cache.get_or_make(artefact, writes(b"new"), notify=silent, inputs="b")
    assert path.read_bytes() == b"new"


def test_a_full_disk_is_one_sentence_with_a_cure(cache: Cache, artefact: Artefact) -> None:
    def fills(target: Path) -> str:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    with pytest.raises(LabError, match=r"disk that holds .* was full") as caught:
        cache.get_or_make(artefact, fills, notify=silent)

    assert "BLACKSTART_CACHE" in caught.value.cure
    assert cache.find(artefact) is None


def test_old_versions_are_forgotten_and_young_ones_kept(cache: Cache) -> None:
    def version(number: str, arch: str = "amd64") -> Artefact:
        return Artefact(name="image", version=number, arch=arch, file="image.tar")

    for each in (version("old"), version("young"), version("now"), version("arm", "arm64")):
        path = cache.get_or_make(each, writes(b"x"), notify=silent)
        if each.version in ("old", "now", "arm"):
            os.utime(path.with_name("image.tar.json"), (1, 1))

    cache.forget_others(version("now"), older_than_s=3600)

    assert sorted(path.name for path in (cache.root / "image").iterdir()) == ["arm", "now", "young"]
    assert cache.find(version("now")) is not None


def test_the_environment_names_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKSTART_CACHE", str(tmp_path / "elsewhere"))

    assert Cache().root == tmp_path / "elsewhere"


def _make_slowly(root: Path, artefact: Artefact, done: Path) -> None:
    def make(target: Path) -> str:
        (done / f"making-{os.getpid()}").touch()
        time.sleep(0.5)
        target.write_bytes(str(os.getpid()).encode())
        return "slowly"

    said: list[str] = []
    Cache(root).get_or_make(artefact, make, notify=said.append)
    (done / f"said-{os.getpid()}").write_text("\n".join(said))


def test_two_processes_make_it_once(tmp_path: Path, artefact: Artefact) -> None:
    done = tmp_path / "done"
    done.mkdir()
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=_make_slowly, args=(tmp_path / "cache", artefact, done))
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)

    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list(done.glob("making-*"))) == 1


def test_a_killed_process_leaves_no_lock(tmp_path: Path, artefact: Artefact) -> None:
    done = tmp_path / "done"
    done.mkdir()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_make_slowly, args=(tmp_path / "cache", artefact, done))
    process.start()
    deadline = time.monotonic() + 30
    while not list(done.glob("making-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.join()

    cache = Cache(tmp_path / "cache")
    assert cache.get_or_make(artefact, writes(b"mine"), notify=silent).read_bytes() == b"mine"
