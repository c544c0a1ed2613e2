"""The script that mends the cluster's list of members, with an etcd that answers as a test says."""

import io
import json
import subprocess
import tarfile
import urllib.error
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks/roles/membership/files/members.py"


@pytest.fixture
def script() -> ModuleType:
    return loaded(SCRIPT)


class Cluster:
    """Three etcd members, and the Node objects of four nodes."""

    def __init__(self) -> None:
        self.members = {
            # A learner that never started has no name: its address tells whose it is.
            "1": {"ID": "1", "peerURLs": ["https://10.0.0.11:2380"]},
            "2": {"ID": "2", "name": "server-2", "peerURLs": ["https://10.0.0.12:2380"]},
            "3": {"ID": "3", "name": "server-3-1a2b", "peerURLs": ["https://10.0.0.13:2380"]},
        }
        self.nodes = ["server-1", "server-2", "server-3", "worker-1"]
        self.deleted: list[str] = []
        self.held = ["server-3"]  # as k3s holds its servers
        self.left: list[str] = []
        self.refusals = 0

    def ask(self, path: str, **question: Any) -> Any:
        if path == "cluster/member/list":
            return {"members": list(self.members.values())}
        assert path == "cluster/member/remove"
        if self.refusals:
            self.refusals -= 1
            words = io.BytesIO(b"re-configuration failed due to not enough started members")
            raise urllib.error.HTTPError("", 503, "", {}, words)  # type: ignore[arg-type]
        del self.members[question["ID"]]
        return {}

    def kubectl(self, *words: str) -> str:
        if words[0] == "get":
            return "".join(f"node/{name}\n" for name in self.nodes)
        if words[0] == "patch":
            if words[2] not in self.left:
                missing = f'nodes "{words[2]}" not found (NotFound)'
                raise subprocess.CalledProcessError(1, words, stderr=missing)
            self.left.remove(words[2])
            return ""
        self.left += [name for name in self.held if name in words]
        self.deleted += [word for word in words[2:] if not word.startswith("--")]
        return ""


@pytest.fixture
def cluster(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(script, "ask", made.ask)
    monkeypatch.setattr(script, "kubectl", made.kubectl)
    monkeypatch.setattr(script, "PERIOD_S", 0.01)
    return made


def take_out(script: ModuleType, monkeypatch: pytest.MonkeyPatch, limit_s: str, *nodes: str) -> int:
    monkeypatch.setattr(script.sys, "argv", ["members.py", "take_out", limit_s, *nodes])
    code: int = script.main()
    return code


@pytest.mark.parametrize(("number", "name"), [("1", "server-1"), ("3", "server-3")])
def test_a_lost_server_leaves_etcd_and_kubernetes(
    script: ModuleType,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: str,
    name: str,
) -> None:
    assert take_out(script, monkeypatch, "1", f"{name}=10.0.0.1{number}") == 0
    assert json.loads(capsys.readouterr().out) == {"members": [name], "nodes": [name]}
    assert number not in cluster.members
    assert len(cluster.members) == 2
    assert cluster.deleted == [name, f"{name}.node-password.k3s"]
    assert cluster.left == [], "nobody waits for a controller that is gone"


def test_a_node_that_was_never_there_changes_nothing(
    script: ModuleType,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert take_out(script, monkeypatch, "1", "worker-2=10.0.0.102") == 0
    assert json.loads(capsys.readouterr().out) == {"members": [], "nodes": []}
    assert len(cluster.members) == 3
    assert "worker-2" not in cluster.deleted


def test_the_members_are_listed_as_etcd_has_them(
    script: ModuleType,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script.sys, "argv", ["members.py", "list"])
    assert script.main() == 0
    assert json.loads(capsys.readouterr().out) == list(cluster.members.values())


def test_etcd_is_asked_again_while_it_refuses(
    script: ModuleType, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.refusals = 2
    assert take_out(script, monkeypatch, "10", "server-1=10.0.0.11") == 0
    assert len(cluster.members) == 2


def test_what_etcd_refuses_is_told_in_its_words(
    script: ModuleType,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster.refusals = 1000
    assert take_out(script, monkeypatch, "0", "server-1=10.0.0.11") == 1
    said = capsys.readouterr().out
    assert said.startswith("server-1 can't be taken out of the cluster: etcd: ")
    assert "not enough started members" in said
    assert len(cluster.members) == 3


def test_a_snapshot_has_the_data_and_the_keys(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("ca", "front-proxy-ca", "etcd/ca", "sa"):
        for suffix in ("crt", "key", "pub"):
            path = tmp_path / f"{file}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(suffix)
    monkeypatch.setattr(script, "KUBEADM", tmp_path)
    pieces = [
        b'{"result": {"remaining_bytes": "3", "blob": "YWI="}}\n',
        b'{"result": {"blob": "Yw=="}}\n',
    ]
    monkeypatch.setattr(script, "call", lambda path, question: io.BytesIO(b"".join(pieces)))
    with tarfile.open(fileobj=io.BytesIO(script.archive())) as tar:
        names = set(tar.getnames())
        data = tar.extractfile("etcd.db")
        assert data is not None
        assert data.read() == b"abc"
    keys = (
        "ca.crt",
        "ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
    )
    assert names == {"etcd.db", *(f"pki/{key}" for key in (*keys, "sa.pub", "sa.key"))}


def test_a_snapshot_that_breaks_off_is_none(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = b'{"result": {"blob": "YWI="}}\n{"error": {"message": "etcdserver: no leader"}}\n'
    monkeypatch.setattr(script, "call", lambda path, question: io.BytesIO(broken))
    with pytest.raises(OSError, match="no leader"):
        script.archive()
