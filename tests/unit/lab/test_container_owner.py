"""Whose the parts of a lab are, and that nothing is taken from anyone else."""

import pytest

from lab.artefacts import Cache
from lab.config.inventory import Inventory
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.nodes.state import StateDirectory
from lab.providers.container import engine, labels, node_image
from lab.providers.container.provider import ContainerProvider
from lab.providers.provider import ForeignLabError
from tests.unit.lab.fake_engine import (
    MINE,
    OTHERS,
    Container,
    Network,
    Volume,
    client_of,
    refusal,
)

OLD = {labels.LAB: "x"}
"""Labels of what earlier releases made."""


@pytest.fixture
def state(tmp_path):
    return StateDirectory("x", tmp_path)


@pytest.fixture
def provider_of(state, tmp_path, monkeypatch):
    def provider_of(**things):
        monkeypatch.setattr(engine, "connect", lambda: client_of(**things))
        return ContainerProvider("x", state, Cache(tmp_path / "cache"))

    return provider_of


@pytest.fixture
def create(provider_of, tmp_path, monkeypatch):
    def create(**things):
        monkeypatch.setattr(node_image, "ensure", lambda *_: pytest.fail("began to make it"))
        hosts = {"server-1": "server"}
        settings = Settings(lab_name="x")
        inventory = Inventory(directory=tmp_path, settings=settings, hosts=hosts)
        provider_of(**things).create(inventory, "kubeadm", Silent())

    return create


def test_another_users_lab_is_not_looked_into(provider_of):
    with pytest.raises(ForeignLabError, match="user alice") as caught:
        provider_of(containers=[Container("server-1", found=OTHERS)]).list_nodes()
    assert "--of alice" in caught.value.cure


@pytest.mark.parametrize(
    "things",
    [
        {"containers": [Container("server-1", found=OTHERS)]},
        {"volumes": [Volume("x-old", found=OTHERS)]},
        {"networks": [Network(found=OTHERS)]},
    ],
)
def test_nothing_of_another_users_lab_is_removed_or_used(provider_of, create, things):
    with pytest.raises(ForeignLabError, match="user alice"):
        provider_of(**things).destroy()
    with pytest.raises(ForeignLabError, match="user alice"):
        create(**things)
    assert not any(thing.removed for kind in things.values() for thing in kind)


def test_another_users_lab_is_removed_where_they_are_named(provider_of):
    node = Container("server-1", found=OTHERS)
    assert provider_of(containers=[node]).destroy("alice") == ["container x-server-1"]
    assert node.removed


def test_ones_own_lab_is_not_another_users(provider_of):
    with pytest.raises(ForeignLabError, match="user me"):
        provider_of(networks=[Network()]).destroy("alice")


def test_what_has_no_owner_is_theirs_who_have_its_key(provider_of, state):
    provider = provider_of(containers=[Container("server-1", found=OLD)])
    with pytest.raises(ForeignLabError, match="does not say whose it is") as caught:
        provider.destroy()
    assert "--of unknown" in caught.value.cure
    state.make_keys()
    assert provider.destroy() == ["container x-server-1"]


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("containers", Container("server-1", found={})),
        ("volumes", Volume("x-server-1-etcd", found={})),
        ("networks", Network(found={})),
    ],
)
def test_a_name_that_is_taken_is_refused_before_anything_is_made(create, kind, thing):
    with pytest.raises(LabError, match=f"not of this kit is already called {thing.name}"):
        create(**{kind: [thing]})


def test_a_name_that_another_lab_has_taken_is_refused_by_that_name(create):
    taken = Container("server-1", found={**MINE, labels.LAB: "x-server"})
    with pytest.raises(LabError, match="of the lab 'x-server' is already called x-server-1"):
        create(containers=[taken])


def test_a_thing_whose_number_begins_like_the_labs_name_takes_nothing(create):
    other = Network(found={})
    other.name = "x0815"
    with pytest.raises(pytest.fail.Exception, match="began to make it"):
        create(networks=[other])


def test_volumes_whose_node_was_removed_by_hand_are_removed(provider_of):
    left = [Volume("x-server-1-etcd", "server-1"), Volume("x-old")]
    net = Network()
    provider = provider_of(volumes=left, networks=[net])
    assert provider.destroy() == ["volume x-server-1-etcd", "volume x-old", "network x"]
    assert net.removed
    assert provider.destroy() == []


def test_the_containers_that_are_still_on_the_network_are_named(provider_of):
    stopped = Container("stopped", "exited", found={})
    provider = provider_of(containers=[stopped], networks=[Network("other", "mine")])
    with pytest.raises(LabError, match="on it: mine, other, x-stopped") as caught:
        provider.destroy()
    assert "docker network disconnect -f x mine" in caught.value.cure


def test_a_volume_that_another_container_uses_keeps_nothing_else(provider_of):
    used = Volume("x-a-etcd", "a", refuses=refusal("volume is in use"))
    free, user = Volume("x-old"), Container("user", found={})
    provider = provider_of(containers=[user], volumes=[used, free])
    with pytest.raises(LabError, match=r"x-a-etcd\..*use them: x-user") as caught:
        provider.destroy()
    assert free.removed
    assert not user.removed
    assert "removed volume x-old" in caught.value.evidence


def test_a_container_that_is_being_removed_already_is_waited_for(provider_of):
    node = Container("a", "removing", refuses="removal of container x-a is already in progress")
    waited = []
    node.wait = lambda **how: waited.append(how["condition"])
    assert provider_of(containers=[node]).destroy() == ["container x-a"]
    assert waited == ["removed"]
