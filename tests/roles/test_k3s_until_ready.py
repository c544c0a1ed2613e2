"""The k3s role's script that waits for a node's place in the cluster."""

import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks" / "roles" / "k3s" / "files" / "until_ready.py"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = loaded(SCRIPT)
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


def test_a_worker_asks_where_its_kubelet_does(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "KUBECONFIG", tmp_path / "kubelet.kubeconfig")
    assert script.nearest_api("k3s") == script.OWN_API
    for text in (None, "clusters:\n"):  # it is not there yet, or being written
        if text:
            script.KUBECONFIG.write_text(text)
        with pytest.raises(OSError, match="kubeconfig"):
            script.nearest_api("k3s-agent")
    script.KUBECONFIG.write_text("clusters:\n- cluster:\n    server: https://127.0.0.1:8443\n")
    assert script.nearest_api("k3s-agent") == "https://127.0.0.1:8443"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file whose lines are the service's journal, for programs that stand in."""
    programs = tmp_path / "bin"
    programs.mkdir()
    lines = tmp_path / "journal"
    lines.touch()
    answers = {
        "journalctl": f'case "$*" in *--since=@*) cat {lines} ;; esac',
        "systemctl": 'case "$*" in *NRestarts*) echo 0 ;; *show*) echo activating start ;; esac',
        "ss": "true",
        "ip": "true",
    }
    for name, script in answers.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return lines


DUPLICATE = (
    'time="2026-01-01T00:00:00Z" level=fatal msg="Error: preparing server: start managed database:'
    " joining etcd cluster: duplicate node name found, please use a unique name for this node"
)
REJECTED = (
    'time="x" level=info msg="Waiting to retrieve agent configuration; server is not ready:'
    " Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password'"
)
CA = 'time="x" level=error msg="token CA hash does not match the Cluster CA certificate hash"'


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        (DUPLICATE, "an etcd member of this node's name already (time="),
        (REJECTED, "knows a node of this name with another password (time="),
        (CA, "the token is of a cluster with another CA"),
        ('time="x" level=error msg="import x.tar: no space left on device"', "the disk is full"),
    ],
)
def test_a_node_that_is_refused_again_and_again_ends_the_wait(
    script: ModuleType, journal: Path, line: str, meaning: str
) -> None:
    journal.write_text(f"{line}\n" * (script.REFUSED_OFTEN - 1))
    assert script.refusal("k3s", 1.0) == ""
    journal.write_text(f"{line}\n" * script.REFUSED_OFTEN)
    assert meaning in script.refusal("k3s", 1.0)


@pytest.mark.parametrize(
    "line",
    [
        'time="x" level=error msg="etcdserver: too many learner members in cluster"',
        'E1126 10:00:00 authentication.go:70] "Unable to authenticate" err="401 Unauthorized"',
    ],
)
def test_what_passes_while_servers_join_is_no_refusal(
    script: ModuleType, journal: Path, line: str
) -> None:
    journal.write_text(f"{line}\n" * 50)
    assert script.refusal("k3s", 1.0) == ""


def test_the_wait_ends_with_the_reason_in_its_first_line(
    script: ModuleType,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal.write_text(f"{DUPLICATE}\n" * script.REFUSED_OFTEN)
    monkeypatch.setattr(script, "LOOK_S", 0.1)
    monkeypatch.setattr(script, "PERIOD_S", 0.1)
    monkeypatch.setattr(sys, "argv", ["until_ready.py", "look", "k3s", "server-2", "300"])
    begin = time.monotonic()
    assert script.main() == 1
    assert time.monotonic() - begin < 30
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("server-2 can't get into the cluster: the cluster has an etcd member")
    assert "duplicate node name found" in first
