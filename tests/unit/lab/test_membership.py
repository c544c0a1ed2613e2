"""What is done about a cluster of which nodes are gone, with nodes that answer as a test says."""

import json
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from lab.cluster import membership, snapshots
from lab.cluster.membership import Census, Standing
from lab.cluster.snapshots import Snapshot
from lab.commands.life import up
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.host.command import CommandError, Result
from lab.nodes.state import StateDirectory

SERVERS = ("server-1", "server-2", "server-3")
GONE = Census(exists=True, members=(), majority=False)


@dataclass
class Node:
    """A node that says of itself what a test wants."""

    name: str
    joined: bool = True
    data: bool = True
    quorum: bool = True

    @property
    def role(self):
        return "server" if self.name.startswith("server") else "worker"

    def run(self, argv, *, stdin, timeout_s):
        said = {"joined": self.joined, "data": self.data, "quorum": self.quorum}
        assert argv[-1] == self.role
        return SimpleNamespace(stdout=json.dumps(said))


def census(*nodes, servers=SERVERS):
    return membership.census(nodes, servers, Silent())


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(membership, "QUORUM_LIMIT_S", 0)


def test_two_of_three_servers_are_a_majority_before_they_answer():
    found = census(Node("server-2", quorum=False), Node("server-3", quorum=False))
    assert found == Census(exists=True, members=("server-2", "server-3"), majority=True)


def test_one_of_three_servers_is_none():
    found = census(Node("server-3", quorum=False), Node("worker-1"))
    assert found == Census(exists=True, members=("server-3",), majority=False)


def test_a_server_alone_that_is_to_get_two_others_is_all_of_its_cluster():
    assert census(Node("server-1")).majority


def test_a_server_without_its_data_is_no_member():
    found = census(Node("server-1", data=False), Node("server-2"), Node("server-3", data=False))
    assert found.members == ("server-2",)


def test_workers_tell_of_a_cluster_without_servers():
    assert census(Node("worker-1")) == GONE


def test_nodes_that_were_never_in_a_cluster_have_none_to_lose():
    found = census(Node("server-1", joined=False, data=False, quorum=False))
    assert not found.exists
    found.require_majority("x", None)


def test_a_lost_majority_is_refused_with_what_can_be_restored(tmp_path):
    kept = Snapshot(file=tmp_path, taken=datetime(2026, 11, 26, 15, tzinfo=UTC))
    with pytest.raises(LabError, match="lost the majority") as refused:
        GONE.require_majority("x", kept)
    assert "`lab restore` makes the cluster again from the snapshot of 2026-11-26" in str(
        refused.value
    )
    with pytest.raises(LabError) as refused:
        replace(GONE, members=("server-3",)).require_majority("x", kept)
    assert "server-3's own data" in str(refused.value)
    with pytest.raises(LabError) as refused:
        GONE.require_majority("x", None)
    assert "lab restore" not in str(refused.value)
    assert "lab down" in str(refused.value)


def test_a_cluster_with_its_majority_is_not_restored():
    with pytest.raises(LabError, match="nothing to restore"):
        Census(exists=True, members=SERVERS, majority=True).require_loss("x", None)
    with pytest.raises(LabError, match="no snapshot"):
        GONE.require_loss("x", None)


def test_a_lab_whose_nodes_are_all_gone_is_no_new_lab(tmp_path):
    provider = SimpleNamespace(list_nodes=lambda: SimpleNamespace(nodes=()))
    inventory = SimpleNamespace(servers=list(SERVERS))
    kept = Snapshot(file=tmp_path, taken=datetime.now(UTC))
    assert up._look_at_members(provider, inventory, kept, Silent()).exists
    assert not up._look_at_members(provider, inventory, None, Silent()).exists


class Server:
    name = "server-1"

    def __init__(self, answer="YWJj"):
        self.answer = answer

    def run(self, argv, *, stdin, timeout_s):
        if not self.answer:
            result = Result(argv=tuple(argv), returncode=1, stdout="", stderr="no leader")
            raise CommandError(result)
        return SimpleNamespace(stdout=self.answer)


def test_a_snapshot_is_kept_for_its_owner_alone(tmp_path):
    state = StateDirectory("x", tmp_path)
    kept = snapshots.take([Server(""), Server()], state)
    assert kept.file.read_bytes() == b"abc"
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
    assert snapshots.newest(state) == kept


def test_the_newest_snapshots_stay(tmp_path):
    state = StateDirectory("x", tmp_path)
    state.snapshots.mkdir(parents=True)
    for day in range(1, 6):
        (state.snapshots / f"2026110{day}T120000Z.tar.gz").touch()
    (state.snapshots / "mine.tar.gz").touch()
    snapshots.take([Server()], state)
    names = sorted(file.name for file in state.snapshots.iterdir())
    assert names[:2] == ["20261104T120000Z.tar.gz", "20261105T120000Z.tar.gz"]
    assert len(names) == snapshots.KEPT + 1
    assert "mine.tar.gz" in names


def test_no_snapshot_is_told_with_every_servers_reason(tmp_path):
    with pytest.raises(LabError, match="no leader"):
        snapshots.take([Server("")], StateDirectory("x", tmp_path))


def test_a_standing_is_read_by_name():
    standing = Standing.of(Node("worker-1", quorum=False))
    assert standing.joined
    assert not standing.is_member
