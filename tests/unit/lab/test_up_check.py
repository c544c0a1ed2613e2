"""`lab up --check`: it says what `lab up` would do, and does nothing of it."""

from types import SimpleNamespace

import pytest

from lab.commands import options
from lab.commands.life import checking
from lab.config.inventory import load
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory
from lab.providers.provider import NodeSet

HOSTS = load(options.EMBEDDED).hosts


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """Have a provider whose nodes the test says; what is called is noted."""
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    ssh = StateDirectory("x").ssh
    happened = SimpleNamespace(off=set(), gone=set(), plays=[], recap=(), untold=0)

    def list_nodes():
        nodes = tuple(
            Node(name=name, cluster="x", role=role, address="10.87.0.11", ssh=ssh)
            for name, role in HOSTS.items()
            if name not in happened.gone
        )
        running = frozenset(node.name for node in nodes) - happened.off
        return NodeSet(nodes=nodes, running=running, distribution="k3s")

    def play(name, **options):
        happened.plays.append(options["check"])
        return SimpleNamespace(changed_tasks=happened.recap, untold=happened.untold)

    provider = SimpleNamespace(list_nodes=list_nodes, files=None)
    monkeypatch.setattr(checking.registry, "provider", lambda *_: provider)
    monkeypatch.setattr(checking.preflight, "check", lambda *_, **__: None)
    monkeypatch.setattr(checking, "prepare", lambda *_: None)
    monkeypatch.setattr(checking, "variables", lambda *_: {})
    monkeypatch.setattr(checking.healing, "refuse_in_force", lambda nodes: None)
    monkeypatch.setattr(checking, "play", play)
    return happened


def would(name="x"):
    return checking.would_do(load(options.EMBEDDED, {"lab_name": name}), Silent())


def test_nodes_that_are_not_there_or_off_are_named_and_nobody_is_asked(lab):
    lab.gone, lab.off = {"worker-1"}, {"server-2"}
    assert would()[:2] == ["make worker-1", "start server-2"]
    assert lab.plays == []


def test_a_lab_that_runs_is_asked_in_check_mode(lab):
    lab.recap = ("Configure kubeadm",)
    assert would() == ["Configure kubeadm"]
    assert lab.plays == [True]


def test_what_is_hidden_is_a_change_too(lab):
    lab.untold = 2
    assert would() == ["tasks that hide what they change, as it has secrets"]


def test_a_lab_that_is_up_to_date_is_left(lab, kit):
    done = kit("up", "--check", "--name", "x")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "Nothing would change.\n"


def test_what_stands_in_the_way_is_said_as_by_lab_up(lab, monkeypatch):
    def refuse(*_, **__):
        raise LabError("This machine can't hold the lab", "Free it.")

    monkeypatch.setattr(checking.preflight, "check", refuse)
    with pytest.raises(LabError, match="can't hold"):
        would()
