"""The script that waits for a node's new release, with API servers that answer as a test says."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks/roles/kubeadm/files/until_upgraded.py"
SERVERS = ("10.0.0.11", "10.0.0.12")


class Cluster:
    """Two servers and the Node object of the second."""

    def __init__(self) -> None:
        self.away: set[str] = set()
        self.api, self.kubelet, self.ready = "v1.34.4", "v1.34.4", "True"

    def ask(self, server: str, path: str) -> bytes:
        if server in self.away:
            raise OSError("refused")
        if path == "/readyz":
            return b"ok"
        if path == "/version":
            assert server == "127.0.0.1"
            return json.dumps({"gitVersion": self.api}).encode()
        assert path == "/api/v1/nodes/server-2"
        ready = {"type": "Ready", "status": self.ready, "message": "no network"}
        status: dict[str, Any] = {
            "nodeInfo": {"kubeletVersion": self.kubelet},
            "conditions": [ready, {"type": "DiskPressure", "status": "False"}],
        }
        return json.dumps({"status": status}).encode()


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def script(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = loaded(SCRIPT)
    monkeypatch.setattr(module, "ask", cluster.ask)
    monkeypatch.setattr(module, "PERIOD_S", 0.0)
    monkeypatch.setattr(module, "API_SERVER", tmp_path)
    return module


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["until_upgraded.py", *words])
    code: int = script.main()
    return code


def test_a_cluster_that_serves_can_spare_a_server(script, cluster, monkeypatch, capsys):
    assert run(script, monkeypatch, "before", "0", *SERVERS) == 0
    cluster.away = {"10.0.0.11"}
    assert run(script, monkeypatch, "before", "0", *SERVERS) == 1
    assert "the API server at 10.0.0.11 is not ready: refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("attribute", "value", "missing"),
    [
        ("ready", "Unknown", "the node is not Ready: no network"),
        ("kubelet", "v1.34.3", "the kubelet is v1.34.3"),
        ("api", "v1.34.3", "the node's own API server is v1.34.3"),
        ("away", {"127.0.0.1"}, "no answer from an API server: refused"),
    ],
)
def test_a_node_is_back_with_its_new_release(
    script, cluster, monkeypatch, capsys, attribute, value, missing
):
    after = ("after", "0", "server-2", "v1.34.4", *SERVERS)
    assert run(script, monkeypatch, *after) == 0
    setattr(cluster, attribute, value)
    assert run(script, monkeypatch, *after) == 1
    assert missing in capsys.readouterr().out


def test_a_worker_has_no_api_server(script, cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(script, "API_SERVER", tmp_path / "none")
    cluster.api = "v1.34.3"
    assert run(script, monkeypatch, "after", "0", "server-2", "v1.34.4", *SERVERS) == 0
