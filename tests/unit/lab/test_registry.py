"""Providers by name, and a lab found whichever of them has it."""

import pytest

from lab.cluster.lab import find
from lab.commands import down
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.nodes.node import Node, Ssh
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import NodeSet


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

    def destroy(self):
        return list(self.removed)


class Dead(Stand):
    answers = False


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


def test_a_lab_is_found_past_a_provider_that_does_not_answer(providers):
    providers(dead=Dead, empty=Stand, full=Full)
    lab = find("here")
    assert [node.name for node in lab.nodes] == ["a", "b"]
    assert [node.name for node in lab.running_nodes] == ["a", "b"]


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
