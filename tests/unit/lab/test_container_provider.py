"""The container provider with an engine that answers as the test says."""

from types import SimpleNamespace

import pytest
from docker.errors import APIError, DockerException, NotFound

from lab.artefacts import Cache
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.nodes.state import StateDirectory
from lab.providers.container import engine, labels, network, volumes
from lab.providers.container.provider import ContainerProvider


class Container:
    """A container that notes what is done to it."""

    def __init__(self, host, status="running", refuses=""):
        self.name = f"x-{host}"
        self.status = status
        self.refuses = refuses
        self.done = []
        role = "server" if host.startswith("server") else "worker"
        self.labels = {labels.HOST: host, labels.ROLE: role, labels.DISTRIBUTION: "kubeadm"}
        endpoint = {"IPAMConfig": {"IPv4Address": "10.87.0.11"}, "IPAddress": ""}
        self.attrs = {"NetworkSettings": {"Networks": {"x": endpoint}}, "Mounts": []}

    def __getattr__(self, verb):
        def do(**_):
            if self.refuses:
                raise APIError("409 Client Error", explanation=self.refuses)
            self.done.append(verb)

        return do


class Volume:
    def __init__(self, name, host=""):
        self.name = name
        self.attrs = {"Labels": {labels.LAB: "x", **({labels.HOST: host} if host else {})}}
        self.removed = False

    def remove(self, force):
        self.removed = True


class Network:
    def __init__(self, *containers):
        self.name = "x"
        self.attrs = {"Containers": {str(n): {"Name": name} for n, name in enumerate(containers)}}
        self.removed = False

    def reload(self):
        pass

    def remove(self):
        self.removed = True


class Collection(list):
    """What the client's `containers`, `volumes` and `networks` are."""

    def __init__(self, things=()):
        super().__init__(things)
        self.created = []

    def list(self, **_):
        return list(self)

    def get(self, name):
        for thing in self:
            if thing.name == name:
                return thing
        raise NotFound(name)

    def create(self, name, **options):
        self.created.append((name, options["labels"]))


@pytest.fixture
def provider_of(tmp_path, monkeypatch):
    def provider_of(*containers, vols=(), nets=()):
        client = SimpleNamespace(
            containers=Collection(containers), volumes=Collection(vols), networks=Collection(nets)
        )
        monkeypatch.setattr(engine, "connect", lambda: client)
        return ContainerProvider("x", StateDirectory("x", tmp_path), Cache(tmp_path / "cache"))

    return provider_of


def test_nodes_belong_to_the_cluster_of_the_labs_name(provider_of):
    found = provider_of(Container("worker-1", "exited"), Container("server-1")).list_nodes()
    assert [(node.name, node.cluster, node.role) for node in found.nodes] == [
        ("server-1", "x", "server"),
        ("worker-1", "x", "worker"),
    ]
    assert found.running == {"server-1"}
    assert found.distribution == "kubeadm"


def test_a_paused_node_is_woken_and_a_stopped_one_started(provider_of):
    nodes = [Container("a", "paused"), Container("b", "exited"), Container("c", "running")]
    provider_of(*nodes).start()
    assert [node.done for node in nodes] == [["unpause"], ["start"], []]


def test_stop_shuts_down_and_power_off_kills(provider_of):
    nodes = [Container("server-1"), Container("worker-1")]
    provider = provider_of(*nodes)
    provider.power_off(provider.list_nodes().nodes[1])
    assert [node.done for node in nodes] == [[], ["kill"]]
    provider.stop()
    assert [node.done for node in nodes] == [["stop"], ["kill", "stop"]]


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ("Address already in use", "docker network inspect"),
        ("iptables: No chain/target/match by that name.", "restart the engine"),
        ("something new", "Mend what it names"),
    ],
)
def test_what_the_engine_refuses_is_a_sentence_with_its_words(provider_of, words, cure):
    with pytest.raises(LabError) as caught:
        provider_of(Container("server-1", "exited", refuses=words)).start()
    assert caught.value.message == (
        f"The Docker engine refused to start x-server-1: {words.rstrip('.')}."
    )
    assert cure in caught.value.cure


def test_destroy_removes_volumes_whose_node_was_removed_by_hand(provider_of):
    left = [Volume("x-server-1-etcd", "server-1"), Volume("x-shared")]
    net = Network()
    removed = provider_of(vols=left, nets=[net]).destroy()
    assert removed == ["volume x-server-1-etcd", "volume x-shared", "network x"]
    assert all(volume.removed for volume in left)
    assert net.removed


def test_destroy_names_the_containers_that_are_still_on_the_network(provider_of):
    with pytest.raises(LabError, match="on it: mine, other") as caught:
        provider_of(nets=[Network("other", "mine")]).destroy()
    assert "docker network disconnect -f x mine" in caught.value.cure


def test_a_new_node_gets_empty_volumes_of_its_own():
    stale, others = Volume("x-a-etcd", "a"), Volume("x-b-etcd", "b")
    client = SimpleNamespace(volumes=Collection([stale, others]))
    mounts = volumes.mounts(client, "x", "a")
    assert (stale.removed, others.removed) == (True, False)
    created = dict(client.volumes.created)
    assert created.keys() == {
        *("x-shared", "x-a-containerd", "x-a-kubelet", "x-a-etcd", "x-a-rancher")
    }
    assert created["x-shared"] == {labels.LAB: "x"}
    assert created["x-a-etcd"] == {labels.LAB: "x", labels.HOST: "a"}
    assert {mount["Source"] for mount in mounts} == created.keys()


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:1", "ssh://user@host"])
def test_another_machines_engine_is_refused_by_the_variables_name(monkeypatch, host):
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setattr(engine, "_start", lambda: pytest.fail("started an engine"))
    for ask in (engine.connect, lambda: engine.ensure(Silent())):
        with pytest.raises(LabError, match=f"DOCKER_HOST={host}"):
            ask()


def test_an_engine_that_the_user_names_is_not_started_in_its_place(monkeypatch):
    def refuse(**_):
        raise DockerException("Connection refused")

    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    monkeypatch.setattr(engine.docker, "from_env", refuse)
    monkeypatch.setattr(engine, "_start", lambda: pytest.fail("started an engine"))
    with pytest.raises(LabError, match="No Docker engine answers at DOCKER_HOST=unix://"):
        engine.ensure(Silent())


def test_a_network_of_that_name_that_is_not_the_kits_is_refused():
    foreign = Network()
    foreign.attrs["Labels"] = {}
    client = SimpleNamespace(networks=Collection([foreign]))
    with pytest.raises(LabError, match="not of this kit"):
        network.ensure(client, "x", "auto")
