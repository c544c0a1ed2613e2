"""The container provider with an engine that answers as the test says."""

import os
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest
from docker.errors import APIError, DockerException

from lab.artefacts import Cache
from lab.commands import options
from lab.commands.look import preflight
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.host import packages, privileges, requirements
from lab.nodes.state import StateDirectory
from lab.providers.container import engine, labels, machine, node_image, volumes
from lab.providers.container import provider as provider_module
from lab.providers.container.provider import ContainerProvider
from tests.unit.lab.fake_engine import MINE, Container, Volume, client_of, refusal


@pytest.fixture
def provider_of(tmp_path, monkeypatch):
    def provider_of(*containers):
        monkeypatch.setattr(engine, "connect", lambda: client_of(containers))
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
        ("network 4711 not found", "`lab down`, then `lab up`"),
        ("Read timed out.", "engine is busy"),
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


def test_a_new_node_gets_empty_volumes_of_its_own():
    stale, others = Volume("x-a-etcd", "a"), Volume("x-b-etcd", "b")
    client = client_of(volumes=[stale, others])
    mounts = volumes.mounts(client, "x", "a")
    assert (stale.removed, others.removed) == (True, False)
    created = {name: options["labels"] for name, options in client.volumes.created}
    assert created.keys() == {
        *("x-a-containerd", "x-a-kubelet", "x-a-etcd", "x-a-rancher", "x-a-bricks")
    }
    assert {frozenset(found) for found in created.values()} == {frozenset({*MINE, labels.HOST})}
    assert {found[labels.HOST] for found in created.values()} == {"a"}
    assert {mount["Source"] for mount in mounts} == created.keys()


def made_node(*, distribution, cache):
    """Make the container of server-1 of lab x; return its name and the options that it got."""
    client = client_of()
    machine.create(
        client,
        lab="x",
        host="server-1",
        role="server",
        distribution=distribution,
        image="blackstart/node:1",
        cache=cache,
        addresses={"server-1": "10.87.0.11"},
        gateway="10.87.0.1",
    )
    [created] = client.containers.created
    return created


def test_a_node_reads_what_this_machine_has_of_its_kernel(monkeypatch, tmp_path):
    has = tmp_path / "boot"
    has.mkdir()
    monkeypatch.setattr(machine, "OF_THE_KERNEL", (str(has), str(tmp_path / "absent")))
    _, options = made_node(distribution="kubeadm", cache=tmp_path)
    binds = {m["Target"]: m["ReadOnly"] for m in options["mounts"] if m["Type"] == "bind"}
    assert binds == {machine.CACHE_IN_NODE: True, str(has): True}


def test_a_node_is_labelled_and_asks_no_resolver_of_this_machine(tmp_path):
    name, options = made_node(distribution="k3s", cache=tmp_path)
    assert name == "x-server-1"
    assert options["labels"].items() >= {**labels.of_new("x"), labels.HOST: "server-1"}.items()
    assert options["dns"] == ["10.87.0.1"]


@pytest.mark.parametrize(
    ("may_raise", "words", "dropped"),
    [
        (True, "", [None]),
        (False, "", [["SYS_RESOURCE"]]),
        # An engine that knows by itself what it can't grant.
        (False, 'invalid CapDrop: not available: "CAP_SYS_RESOURCE"', [["SYS_RESOURCE"], None]),
    ],
)
def test_a_node_gets_the_capabilities_that_there_are(monkeypatch, may_raise, words, dropped):
    monkeypatch.setattr(machine, "_may_raise_limits", lambda: may_raise)
    asked = []

    class Containers:
        def create(self, *_, **options):
            asked.append(options.get("cap_drop"))
            if words and "cap_drop" in options:
                raise refusal(words)

    client = SimpleNamespace(containers=Containers())
    machine.create_with_all_capabilities(client, "image", "init")
    assert asked == dropped


def test_any_other_refusal_of_a_container_is_told(monkeypatch):
    monkeypatch.setattr(machine, "_may_raise_limits", lambda: False)

    class Containers:
        def create(self, *_, **__):
            raise refusal("no space left on device")

    with pytest.raises(APIError) as caught:
        machine.create_with_all_capabilities(SimpleNamespace(containers=Containers()), "i", "c")
    assert caught.value.explanation == "no space left on device"


def test_a_node_of_another_image_is_named_and_one_of_another_cache_refused(tmp_path):
    node, said = Container("server-1"), []
    node.attrs["Config"]["Image"] = "blackstart/node:1"
    machine.check_kept(node, tmp_path, "blackstart/node:1", said.append)
    assert said == []
    machine.check_kept(node, tmp_path, "blackstart/node:2", said.append)
    assert "x-server-1 is of another image" in said[0]
    node.attrs["Mounts"] = [{"Destination": machine.CACHE_IN_NODE, "Source": "/elsewhere"}]
    with pytest.raises(LabError, match="artefact cache /elsewhere"):
        machine.check_kept(node, tmp_path, "blackstart/node:1", said.append)


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
    monkeypatch.setattr(engine.docker, "DockerClient", refuse)
    monkeypatch.setattr(engine, "_start", lambda: pytest.fail("started an engine"))
    with pytest.raises(LabError, match="No Docker engine answers at DOCKER_HOST=unix://"):
        engine.ensure(Silent())


def test_where_no_engine_ever_was_there_is_no_lab(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "SOCKET", tmp_path / "docker.sock")
    monkeypatch.setattr(engine, "DATA_DIRECTORY", tmp_path / "data")
    provider = ContainerProvider("x", StateDirectory("x"), Cache(tmp_path))
    assert provider.list_nodes().nodes == ()
    assert provider.destroy() == []
    (tmp_path / "data").mkdir()  # What a stopped engine keeps may be a lab.
    for ask in (provider.list_nodes, provider.destroy):
        with pytest.raises(engine.EngineAbsentError):
            ask()


def test_the_journal_of_a_node_that_ended_is_what_it_printed_last(provider_of):
    ended = Container("worker-1", "exited")
    ended.logs = lambda tail: b"systemd: Failed to mount /sys/fs/cgroup\n"
    ended.attrs["State"] = {"ExitCode": 137, "Error": "", "OOMKilled": True}
    assert provider_of(ended).journal().splitlines() == [
        "== x-worker-1 (exited)",
        "exit code 137",
        "out of memory",
        "systemd: Failed to mount /sys/fs/cgroup",
    ]


def test_a_user_in_the_group_docker_is_asked_for_no_root(provider_of, monkeypatch):
    """Where the engine answers, and packages, limits and images are there."""
    monkeypatch.setattr(engine, "information", lambda: {"DockerRootDir": "/var/lib/docker"})
    monkeypatch.setattr(node_image, "needs_root", lambda cache: False)
    for module in (packages, privileges, requirements):
        monkeypatch.setattr(
            module, "authorise", lambda purposes: purposes and pytest.fail(f"root, to {purposes}")
        )
    monkeypatch.setattr(provider_module, "SYSCTLS", {"kernel.pid_max": 1})
    provider = provider_of()
    assert provider.requirements(1).programs == {"ip": "iproute2"}
    monkeypatch.setattr(provider_module, "PROGRAMS", {"sh": "dash"})
    provider.prepare_machine(Silent())


def test_a_machine_without_an_engine_gets_one(provider_of, monkeypatch):
    def absent():
        raise engine.EngineAbsentError("none")

    monkeypatch.setattr(engine, "information", absent)
    assert provider_of().requirements(1).programs.keys() == {"ip", "dockerd", "iptables"}
    assert provider_of().availability() == "Docker engine: none "


def test_an_engine_that_is_closed_to_a_user_of_sudo_is_opened(monkeypatch):
    """As on a machine where `lab up` has just installed it: the group docker has nobody."""
    opened, ran = [], []

    def information():
        if not opened:
            raise engine.EngineClosedError("This user may not use it.")
        return {}

    monkeypatch.setattr(engine, "information", information)
    monkeypatch.setattr(engine, "authorise", opened.extend)
    monkeypatch.setattr(engine.packages, "ensure", lambda programs, progress: ran.append(programs))
    monkeypatch.setattr(engine, "run", ran.append)
    engine.ensure(Silent())
    assert opened == ["use the Docker engine"]
    assert ran[0] == {"setfacl": "acl"}
    assert ran[1][-2:] == [f"u:{os.getuid()}:rw", engine.SOCKET]


@pytest.mark.parametrize("origin", ["", "DOCKER_HOST=unix:///run/mine.sock"])
def test_only_the_machines_own_engine_is_opened(origin):
    refused = engine._absent(OSError("Permission denied"), origin)
    assert isinstance(refused, engine.EngineClosedError) is (origin == "")


def test_a_node_that_is_removed_takes_its_own_volumes_along(provider_of, monkeypatch):
    nodes = [Container("server-1"), Container("worker-1")]
    own, others = Volume("x-worker-1-etcd", "worker-1"), Volume("x-server-1-etcd", "server-1")
    monkeypatch.setattr(engine, "connect", lambda: client_of(nodes, [own, others]))
    provider = ContainerProvider("x", StateDirectory("x"), Cache())
    assert provider.remove("worker-1") == ["container x-worker-1", "volume x-worker-1-etcd"]
    assert own.removed
    assert not others.removed
    assert provider.remove("gone") == []


def test_nodes_keep_their_addresses_and_new_ones_get_the_first_that_is_free():
    hosts = {"server-1": "server", "server-4": "server", "worker-2": "worker", "worker-3": "worker"}
    kept = {"server-1": "10.87.0.12", "worker-2": "10.87.0.102"}
    assert provider_module._addresses(hosts, IPv4Network("10.87.0.0/24"), kept) == {
        "server-1": "10.87.0.12",
        "server-4": "10.87.0.11",
        "worker-2": "10.87.0.102",
        "worker-3": "10.87.0.101",
    }


def test_an_engine_that_is_refused_is_one_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("BLACKSTART_CACHE", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    settings = ["lab_distribution=kubeadm"]
    (problem,) = preflight.examine(options.EMBEDDED, "x", settings).problems
    assert "DOCKER_HOST=tcp://127.0.0.1:1 names another engine" in problem.message


def test_an_engine_that_lab_up_starts_is_no_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("BLACKSTART_CACHE", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine, "SOCKET", tmp_path / "docker.sock")
    monkeypatch.setattr(engine, "DATA_DIRECTORY", tmp_path)
    monkeypatch.setattr(preflight, "_available", lambda *_: "distribution: any")
    monkeypatch.setattr(privileges, "_succeeds", lambda *_, **__: True)
    monkeypatch.setattr(privileges.environment, "which", lambda name: f"/usr/bin/{name}")
    found = preflight.examine(options.EMBEDDED, "x", [])
    assert [problem.message for problem in found.problems if "engine" in problem.message] == []
    assert any("`lab up` starts one" in line for line in found.fine)
    assert any("root: needed to start the Docker engine" in line for line in found.fine)
    assert "nodes: unknown yet what is there" in str(found)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Return what makes the kernel have some file systems, and modules to load."""
    monkeypatch.setattr(volumes, "FILE_SYSTEMS", tmp_path / "filesystems")
    monkeypatch.setattr(volumes, "MODULES", tmp_path)

    def has(file_systems, modules=None):
        volumes.FILE_SYSTEMS.write_text(file_systems)
        if modules is not None:
            listed = tmp_path / os.uname().release / "modules.dep"
            listed.parent.mkdir()
            listed.write_text(modules)

    return has


@pytest.mark.parametrize(
    ("storage", "file_systems", "said"),
    [
        ("longhorn", "nodev fuse", "Longhorn can't run on container nodes"),
        ("gluster", "nodev tmpfs", "kernel has no FUSE"),
    ],
)
def test_storage_that_container_nodes_cannot_carry_is_refused(kernel, storage, file_systems, said):
    kernel(file_systems)
    with pytest.raises(LabError, match=said) as caught:
        volumes.refuse_unfit(storage)
    assert "lab_storage" in caught.value.cure


@pytest.mark.parametrize("storage", ["auto", "local-path", "gluster"])
def test_storage_that_container_nodes_can_carry_is_not(kernel, storage):
    kernel("nodev fuse")
    volumes.refuse_unfit(storage)


@pytest.mark.parametrize(
    ("file_systems", "modules", "backend"),
    [
        ("nodev\tfuse\n", None, "gluster"),
        ("nodev\tfuseblk\n", None, "local-path"),
        # Debian's kernel, before anything has opened /dev/fuse.
        ("nodev\ttmpfs\n", "kernel/fs/fuse/fuse.ko:\nkernel/fs/fuse/cuse.ko: x\n", "gluster"),
        ("nodev\ttmpfs\n", "kernel/fs/fuse/fuse.ko.zst:\n", "gluster"),
        ("nodev\ttmpfs\n", "kernel/fs/fuse/virtiofs.ko: kernel/fs/fuse/fuseish.ko\n", "local-path"),
    ],
)
def test_container_nodes_replicate_where_the_kernel_lets_them(
    kernel, file_systems, modules, backend
):
    kernel(file_systems, modules)
    chosen = volumes.storage(3)
    assert chosen.backend == backend
    assert ("FUSE" in chosen.reason) is (backend == "local-path")


def test_a_replica_on_one_server_is_called_so(kernel):
    kernel("nodev fuse")
    assert volumes.storage(1) == volumes.storage(2)
    assert "one replica" in volumes.storage(2).reason
    assert "three servers" in volumes.storage(3).reason
