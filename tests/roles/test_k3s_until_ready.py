"""The k3s role's script that waits for a node's place in the cluster."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "playbooks" / "roles" / "k3s" / "files" / "until_ready.py"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("until_ready", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "images").mkdir()
    monkeypatch.setattr(module, "AGENT", tmp_path)
    return module


def offer(agent: Path, name: str) -> Path:
    archive = agent / f"archive-{name}"
    archive.write_bytes(b"tar")
    link = agent / "images" / name
    link.symlink_to(archive)
    return link


def note(agent: Path, *links: Path) -> None:
    cache = {str(link): {"size": 3} for link in links}
    (agent / "images" / ".cache.json").write_text(json.dumps(cache))


def test_archives_that_k3s_has_not_noted_are_not_imported(
    script: ModuleType, tmp_path: Path
) -> None:
    grid, mysql = offer(tmp_path, "grid.tar"), offer(tmp_path, "mysql.tar")
    note(tmp_path, grid)
    assert script.not_imported() == ["mysql.tar"]
    note(tmp_path, grid, mysql)
    assert script.not_imported() == []


@pytest.mark.parametrize("half_written", ["", '{"/var/lib'])
def test_a_cache_that_is_being_written_notes_nothing(
    script: ModuleType, tmp_path: Path, half_written: str
) -> None:
    offer(tmp_path, "grid.tar")
    (tmp_path / "images" / ".cache.json").write_text(half_written)
    assert script.not_imported() == ["grid.tar"]


def test_an_archive_is_offered_again_as_a_new_link_to_the_same_file(
    script: ModuleType, tmp_path: Path
) -> None:
    link = offer(tmp_path, "grid.tar")
    target, before = link.readlink(), link.lstat().st_ino
    script.offer_again(["grid.tar"])
    assert link.readlink() == target
    assert link.lstat().st_ino != before
    assert [file.name for file in (tmp_path / "images").iterdir()] == ["grid.tar"]


def test_a_server_that_is_not_ready_is_named(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(path: str, api: str) -> bytes:
        assert path == "/readyz"
        if api == "https://10.0.0.2:6443":
            raise ConnectionRefusedError("refused")
        return b"ok"

    monkeypatch.setattr(script, "ask", ask)
    assert script.not_serving(["10.0.0.1", "10.0.0.2"]) == ["10.0.0.2: refused"]
    assert script.not_serving(["10.0.0.1"]) == []
