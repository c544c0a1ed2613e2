"""Providers by name, and a lab found whichever of them has it."""

import pytest

from lab.cluster.lab import find
from lab.commands.life import down
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.nodes.node import Node, Ssh
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import ForeignLabError, NodeSet


class Stand:
    """A provider that has what its class says, for the lab `here` alone."""

    answers = True
    nodes: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __init__(self, lab, state, cache):
        self.lab = lab
        self.ssh = state.ssh

    def list_nodes(self):
        if not self.answers:
            raise LabError(f"{type(self).__name__} does not answer.")
        names = self.nodes if self.lab == "here" else ()
        nodes = [
            Node(name=name, cluster="here", role="server", address="", ssh=self.ssh)
            for name in names
        ]
        return NodeSet(nodes=tuple(nodes), running=frozenset(names), distribution="k3s")

    def destroy(self, owner=""):
        return list(self.removed)


class Dead(Stand):
    answers = False


class Foreign(Stand):
    """A provider whose lab is alice's."""

    def list_nodes(self):
        raise ForeignLabError("The lab is alice's.")

    def destroy(self, owner=""):
        return ["machine c"] if owner == "alice" else self.list_nodes()


class Full(Stand):
    nodes = ("a", "b")
    removed = ("machine a", "machine b")


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    return tmp_path


@pytest.fixture
def providers(monkeypatch):
    def providers(**classes):
        named = {name: f"{__name__}:{made.__name__}" for name, made in classes.items()}
        monkeypatch.setattr(registry, "PROVIDERS", named)

    return providers


def test_an_unknown_provider_lists_the_known_ones(tmp_path, providers):
    providers(empty=Stand, full=Full)
    with pytest.raises(LabError, match="no provider 'cloud'") as caught:
        registry.provider("cloud", "x", StateDirectory("x", tmp_path))
    assert caught.value.cure == "Set lab_provider to one of: empty, full."


def test_a_lab_is_found_past_a_provider_that_does_not_answer(providers, state):
    there = StateDirectory("here", state)
    there.make_keys()
    there.know_hosts(["10.87.0.11"])
    providers(dead=Dead, empty=Stand, full=Full)
    lab = find("here")
    assert [node.name for node in lab.nodes] == ["a", "b"]
    assert [node.name for node in lab.running_nodes] == ["a", "b"]


def test_a_lab_whose_key_this_user_lacks_is_a_sentence(providers):
    providers(full=Full)
    with pytest.raises(LabError, match="can't be reached without"):
        find("here")


def test_another_users_lab_is_neither_found_nor_removed_unless_they_are_named(providers, state):
    (state / "here").mkdir()
    providers(foreign=Foreign)
    for ask in (lambda: find("here"), lambda: down.remove("here", Silent())):
        with pytest.raises(ForeignLabError):
            ask()
    assert (state / "here").exists()
    assert down.remove("here", Silent(), "alice")[0] == "machine c"


def test_a_lab_that_nobody_has_is_the_answer_of_the_one_that_could_not_be_asked(providers):
    providers(dead=Dead, empty=Stand)
    with pytest.raises(LabError, match="Dead does not answer"):
        find("here")


def test_a_lab_that_nobody_has(providers):
    providers(empty=Stand, full=Full)
    with pytest.raises(LabError, match="There is no lab 'gone'"):
        find("gone")


def test_down_removes_what_each_provider_has_and_the_state(providers, state):
    (state / "here").mkdir()
    providers(dead=Dead, full=Full)
    removed = down.remove("here", Silent())
    assert removed == ["machine a", "machine b", f"directory {state / 'here'}"]


def test_down_keeps_the_state_where_the_only_provider_does_not_answer(providers, state):
    (state / "here").mkdir()
    providers(dead=Dead)
    with pytest.raises(LabError, match="Dead does not answer"):
        down.remove("here", Silent())
    assert (state / "here").exists()


def test_kubeconfigs_are_named_by_cluster_and_server(state):
    lab = StateDirectory("x", state)
    assert lab.kubeconfig("x", "server-1") == state / "x" / "kubeconfig-x-server-1.yaml"
    assert isinstance(lab.ssh, Ssh)
