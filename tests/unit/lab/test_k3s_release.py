"""The release of a lab whose inventory names a channel of k3s."""

import pytest

from lab.artefacts import k3s
from lab.bundle import release
from lab.commands import options
from lab.config.inventory import load
from lab.console.errors import LabError
from lab.nodes.mark import LabMark
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory
from lab.providers.provider import NodeSet

NEW, OLD = "v1.34.9+k3s1", "v1.34.3+k3s1"
NOBODY = NodeSet(nodes=(), running=frozenset(), distribution="")


@pytest.fixture
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    monkeypatch.setattr(k3s, "newest", lambda channel, channels: NEW)
    return StateDirectory("x")


def released(there=NOBODY, **settings):
    wanted = {"lab_name": "x", "lab_k3s_version": "stable", **settings}
    inventory = load(options.EMBEDDED, wanted)
    return release.released(inventory, there).settings.lab_k3s_version


def nodes_of(state, running=()):
    node = Node(name="a", cluster="x", role="server", address="10.87.0.11", ssh=state.ssh)
    return NodeSet(nodes=(node,), running=frozenset(running), distribution="k3s")


def test_a_new_lab_gets_the_channels_newest(state):
    assert released() == NEW
    assert not state.release.exists(), "to ask writes nothing"


def test_a_lab_stays_with_its_release_when_the_channel_goes_on(state, monkeypatch):
    marked = LabMark(
        lab_name="x",
        distribution="k3s",
        profile="thesis",
        timers={},
        versions={"k3s": OLD},
        images={},
        settings={},
    )
    monkeypatch.setattr(LabMark, "read_any", lambda nodes: marked if nodes else None)
    assert released(nodes_of(state, running=["a"])) == OLD
    state.directory.mkdir()
    release.remember(load(options.EMBEDDED, {"lab_name": "x", "lab_k3s_version": OLD}))
    assert released(nodes_of(state)) == OLD, "it was written down for when no node runs"


def test_a_release_is_what_it_says(state, monkeypatch):
    monkeypatch.setattr(k3s, "newest", lambda channel, channels: pytest.fail("asked"))
    assert released(lab_k3s_version=OLD) == OLD
    assert released(lab_distribution="kubeadm") == "stable"


def test_without_an_answer_auto_goes_on_and_k3s_does_not(state, monkeypatch):
    def refuse(channel, channels):
        raise LabError("It can't be asked.", "Set a release.")

    monkeypatch.setattr(k3s, "newest", refuse)
    assert released() == "stable"
    with pytest.raises(LabError, match="can't be asked"):
        released(lab_distribution="k3s")
