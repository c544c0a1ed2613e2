"""The nodes that a lab has beside its inventory, and the verbs that change them."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.cluster import lab as labs
from lab.commands import options
from lab.commands.life import add_node, changing, remove_node
from lab.config import inventory as inventories
from lab.console.errors import LabError
from lab.host.command import CommandError, Result
from lab.nodes.mark import LabMark
from lab.nodes.node import Node, Ssh
from lab.nodes.roster import Roster
from lab.nodes.state import StateDirectory

HOSTS = {"server-1": "server", "server-2": "server", "server-3": "server", "worker-1": "worker"}


def test_added_and_removed_nodes_are_applied_servers_first():
    roster = (
        Roster().with_added("worker-2", "worker", HOSTS).with_added("server-4", "server", HOSTS)
    )
    roster = roster.with_removed("worker-1", HOSTS)
    assert list(roster.applied(HOSTS)) == [
        "server-1",
        "server-2",
        "server-3",
        "server-4",
        "worker-2",
    ]


def test_a_node_that_is_added_again_is_the_inventorys():
    roster = Roster().with_removed("worker-1", HOSTS).with_added("worker-1", "worker", HOSTS)
    assert roster == Roster()


def test_an_added_node_that_is_removed_leaves_nothing():
    assert Roster().with_added("w", "worker", HOSTS).with_removed("w", HOSTS) == Roster()


def test_it_is_kept_until_the_lab_goes(tmp_path):
    state = StateDirectory("x", tmp_path)
    roster = Roster(added={"w": "worker"}, removed=frozenset({"worker-1"}))
    roster.write(state)
    assert Roster.read(state) == roster
    state.remove()
    assert Roster.read(state) == Roster()


@given(
    st.sampled_from(["", "{", "[]", "null", "\0"])
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["added", "removed"]), inner)
        ),
    ).map(json.dumps)
)
def test_a_damaged_file_is_a_roster_too(tmp_path_factory, text):
    state = StateDirectory("x", tmp_path_factory.getbasetemp())
    state.directory.mkdir(exist_ok=True)
    state.roster.write_text(text)
    Roster.read(state).applied(HOSTS)


class Server(Node):
    """A node that answers each command with 0 and nothing, and keeps what it was told."""

    def run(self, argv, *, check=True, **_):
        line = " ".join(argv)
        told.append((self.name, line))
        said = next((said for words, said in failing.items() if words in line), "")
        result = Result(argv=tuple(argv), returncode=int(said != ""), stdout="", stderr=said)
        if check and said:
            raise CommandError(result)
        if "get node" in line and "node is unknown" not in failing:
            return replace(result, stdout="node/x\n")
        return result


told: list[tuple[str, str]] = []
failing: dict[str, str] = {}


@pytest.fixture
def running(monkeypatch, tmp_path):
    """Return what happens to a lab of the embedded inventory, whose nodes all answer."""
    told.clear()
    failing.clear()
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    ssh = Ssh(key=tmp_path / "key", known_hosts=tmp_path / "known")
    nodes = [
        Server(name=name, cluster="x", role=role, address=f"10.87.0.{number}", ssh=ssh)
        for number, (name, role) in enumerate(HOSTS.items(), 11)
    ]
    state = StateDirectory("x")
    happened = SimpleNamespace(removed=[], up=[], state=state)
    provider = SimpleNamespace(remove=happened.removed.append)
    lab = labs.Lab(
        name="x",
        nodes=tuple(nodes),
        running=frozenset(HOSTS),
        provider=provider,
        cluster=SimpleNamespace(servers=tuple(nodes[:3]), list_nodes=lambda: []),
        state=state,
    )
    mark = LabMark(
        lab_name="x",
        distribution="k3s",
        profile="floor",
        timers={},
        versions={},
        images={},
        settings={"lab_name": "x", "lab_profile": "floor"},
        hosts=HOSTS,
    )
    monkeypatch.setattr(changing, "find", lambda name: lab)
    monkeypatch.setattr(LabMark, "read_any", lambda nodes: mark)

    def bring_up(inventory, progress):
        happened.up.append(inventory)
        return SimpleNamespace(seconds=1.0)

    monkeypatch.setattr(add_node, "bring_up", bring_up)
    monkeypatch.setattr(remove_node, "bring_up", bring_up)
    return happened


def test_a_node_is_drained_taken_out_and_removed_in_this_order(running, kit):
    done = kit("remove-node", "worker-1", "--name", "x")
    assert done.exit_code == 0, done.stderr
    steps = [
        ("server-1", "get --raw /readyz"),
        ("server-1", "get node worker-1"),
        ("server-1", "drain worker-1"),
        ("worker-1", "systemctl stop kubelet"),
        ("server-1", "take_out 60 worker-1=10.87.0.14"),
    ]
    for (node, words), (asked, said) in zip(steps, told, strict=True):
        assert node == asked
        assert words in said
    assert running.removed == ["worker-1"]
    (wanted,) = running.up
    assert "worker-1" not in wanted.hosts
    assert wanted.removed == {"worker-1"}
    assert wanted.settings.lab_profile == "floor", "the lab's own settings are kept"
    assert options.read_lab(options.EMBEDDED, "x", None).hosts == wanted.hosts


def test_a_server_that_leaves_is_not_asked_for_it(running, kit):
    done = kit("remove-node", "server-1", "--name", "x")
    assert done.exit_code == 0, done.stderr
    assert [node for node, said in told if "take_out" in said] == ["server-2"]
    assert "2 servers survive no more losses than 1 do" in done.stdout


def test_pods_that_stay_stop_it_unless_forced(running, kit):
    failing["drain"] = "a disruption budget"
    done = kit("remove-node", "worker-1", "--name", "x")
    assert done.exit_code == 1
    assert "a disruption budget" in done.stderr
    assert "uncordon worker-1" in done.stderr
    assert running.removed == []
    assert kit("remove-node", "worker-1", "--name", "x", "--force").exit_code == 0
    assert running.removed == ["worker-1"]


def test_a_node_that_was_taken_out_before_is_not_drained_again(running, kit):
    failing["node is unknown"] = "not found"
    assert kit("remove-node", "worker-1", "--name", "x").exit_code == 0
    assert not [said for _, said in told if "drain" in said]
    assert running.removed == ["worker-1"]


def test_a_cluster_without_a_majority_loses_nothing(running, kit):
    failing["take_out"] = "etcd: re-configuration failed"
    done = kit("remove-node", "worker-1", "--name", "x")
    assert done.exit_code == 1
    assert "etcd: re-configuration failed" in done.stderr
    assert running.removed == []
    assert not running.state.roster.exists()


def test_a_node_that_is_not_there_has_near_names(running, kit):
    done = kit("remove-node", "worker1", "--name", "x")
    assert done.exit_code == 1
    assert "worker-1" in done.stderr
    assert told == []


def test_a_node_is_added_to_the_lab_as_it_runs(running, kit):
    done = kit("add-node", "server-4", "--server", "--name", "x")
    assert done.exit_code == 0, done.stderr
    (wanted,) = running.up
    assert wanted.hosts == {**HOSTS, "server-4": "server"}
    assert wanted.settings.lab_profile == "floor"
    assert "4 servers survive no more losses than 3 do" in done.stdout
    assert options.read_lab(options.EMBEDDED, "x", None).hosts == wanted.hosts


@pytest.mark.parametrize(
    ("name", "says"),
    [("worker-1", "has a node 'worker-1' already"), ("W", "Kubernetes refuses: W")],
)
def test_a_node_that_can_not_be_added_changes_nothing(running, kit, name, says):
    done = kit("add-node", name, "--name", "x")
    assert done.exit_code == 1
    assert says in done.stderr
    assert not running.state.roster.exists()


def test_another_inventory_is_refused(running, kit, tmp_path):
    (tmp_path / "other").mkdir()
    hosts = "all: {children: {servers: {hosts: {a: }}, workers: {hosts: {}}}}\n"
    (tmp_path / "other" / "hosts.yml").write_text(hosts)
    (tmp_path / "other" / "group_vars").mkdir()
    (tmp_path / "other" / "group_vars" / "all.yml").write_text("{}\n")
    done = kit("add-node", "b", "--name", "x", "-i", str(tmp_path / "other"))
    assert done.exit_code == 1
    assert "was not made of the inventory" in done.stderr


def test_the_only_server_stays(running, kit, monkeypatch):
    inventory = inventories.load(options.EMBEDDED)
    only = inventories.changed(inventory, Roster(removed=frozenset({"server-2", "server-3"})))
    assert only.servers == ["server-1"]
    Roster(removed=only.removed).write(running.state)
    mark = LabMark.read_any(())
    monkeypatch.setattr(LabMark, "read_any", lambda nodes: replaced(mark, only.hosts))
    done = kit("remove-node", "server-1", "--name", "x")
    assert done.exit_code == 1
    assert "the lab's only server" in done.stderr


def replaced(mark, hosts):
    return LabMark(**{**mark.__dict__, "hosts": hosts})


def test_a_lab_whose_nodes_say_nothing_is_left_alone(running, kit, monkeypatch):
    monkeypatch.setattr(LabMark, "read_any", lambda nodes: None)
    done = kit("add-node", "worker-2", "--name", "x")
    assert done.exit_code == 1
    assert "Run `lab up`" in done.stderr


def test_wrong_names_are_refused():
    inventory = inventories.load(options.EMBEDDED)
    with pytest.raises(LabError, match="Kubernetes refuses"):
        inventories.check_names(
            inventories.changed(inventory, Roster(added={"under_score": "worker"}))
        )
