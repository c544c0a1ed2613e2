"""The release of a lab: a channel's of k3s, and none that its cluster can't go to."""

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
NOBODY = NodeSet()


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


def runs(monkeypatch, distribution, **versions):
    """Let the nodes say what they were made of."""
    marked = LabMark(
        lab_name="x",
        distribution=distribution,
        profile="thesis",
        timers={},
        versions=versions,
        images={},
        settings={},
    )
    monkeypatch.setattr(LabMark, "read_any", lambda nodes: marked if nodes else None)


def test_a_new_lab_gets_the_channels_newest(state):
    assert released() == NEW
    assert not state.release.exists(), "to ask writes nothing"


def test_a_lab_stays_with_its_release_when_the_channel_goes_on(state, monkeypatch):
    runs(monkeypatch, "k3s", k3s=OLD)
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


@pytest.mark.parametrize(
    ("distribution", "before", "wanted", "refused"),
    [
        ("kubeadm", "v1.34.3", "v1.34.3", None),
        ("kubeadm", "v1.34.3", "v1.34.10", None),
        ("kubeadm", "v1.33.10", "v1.34.0", None),
        ("kubeadm", "v1.34.10", "v1.34.9", "runs kubernetes v1.34.10, and can't go back to"),
        ("kubeadm", "v1.32.3", "v1.34.0", "can't go to v1.34.0 at once"),
        ("k3s", "v1.34.3+k3s1", "v1.34.3+k3s2", None),
        ("k3s", "v1.34.3+k3s2", "v1.34.3+k3s1", "can't go back to v1.34.3+k3s1"),
    ],
)
def test_kubernetes_goes_on_by_a_minor_version_and_never_back(
    state, monkeypatch, distribution, before, wanted, refused
):
    program = "k3s" if distribution == "k3s" else "kubernetes"
    runs(monkeypatch, distribution, **{program: before})
    inventory = load(options.EMBEDDED, {"lab_name": "x", f"lab_{program}_version": wanted})
    nodes = nodes_of(state, running=["a"])
    if not refused:
        release.refuse_leap(inventory, distribution, nodes)
        return
    with pytest.raises(LabError) as caught:
        release.refuse_leap(inventory, distribution, nodes)
    assert refused in caught.value.message
    assert f"Set lab_{program}_version to" in caught.value.cure


def test_a_new_lab_gets_any_release(state, monkeypatch):
    runs(monkeypatch, "kubeadm", kubernetes="v1.34.4")
    inventory = load(options.EMBEDDED, {"lab_name": "x", "lab_kubernetes_version": "v1.34.3"})
    release.refuse_leap(inventory, "kubeadm", NOBODY)
