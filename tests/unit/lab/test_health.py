"""What `lab status` says of labs that answer nothing, half, or nonsense."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kubernetes import client

from lab.cluster import api, health
from lab.cluster.api import Cluster
from lab.cluster.lab import Lab
from lab.console.errors import LabError
from lab.host.command import CommandError, Result
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: c
  cluster:
    server: https://192.0.2.1:6443
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""
LEADER = "etcd_server_is_learner 0\netcd_server_has_leader 1\netcd_server_is_leader 0\n"
NO_LEADER = "etcd_server_is_learner 0\netcd_server_has_leader 0\netcd_server_is_leader 0\n"


@dataclass(frozen=True, kw_only=True)
class ToldNode(Node):
    """A node whose answers to SSH are written down: first word of a command to its output."""

    says: dict[str, str] = field(default_factory=dict)

    def run(
        self, argv: Sequence[str], *, stdin: str = "", timeout_s: float = 60, check: bool = True
    ) -> Result:
        words = "kubeconfig" if argv[-1] == api.KUBECONFIG_IN_NODE else argv[0]
        if "hang" in self.says:
            result = Result(argv=tuple(argv), returncode=255, stdout="", stderr=self.says["hang"])
        elif words in self.says:
            result = Result(argv=tuple(argv), returncode=0, stdout=self.says[words], stderr="")
        else:
            result = Result(argv=tuple(argv), returncode=1, stdout="", stderr="No such file")
        if check and result.returncode:
            raise CommandError(result)
        return result


def trusting(certificate) -> str:
    """Return a kubeconfig for the server that `certificate` is of."""
    return KUBECONFIG.replace("server:", f"certificate-authority: {certificate}/cert\n    server:")


def marked(*hosts: str) -> str:
    about = {"lab_name": "x", "distribution": "kubeadm", "profile": "thesis", "timers": {}}
    roles = {name: name.partition("-")[0] for name in hosts}
    return json.dumps({**about, "versions": {}, "images": {}, "settings": {}, "hosts": roles})


def the_lab(tmp_path, nodes, running=None):
    """Return a lab at the loopback; `nodes` is name to what it says over SSH."""
    state = StateDirectory("x", tmp_path)
    state.directory.mkdir(exist_ok=True)
    state.ssh.key.touch()
    made = tuple(
        ToldNode(
            name=name,
            cluster="x",
            role="server" if name.startswith("server") else "worker",
            address=f"127.0.0.{number}",
            ssh=state.ssh,
            says=says,
        )
        for number, (name, says) in enumerate(nodes.items(), 51)
    )
    running = frozenset(nodes) if running is None else frozenset(running)
    return Lab(
        name="x",
        nodes=made,
        running=running,
        provider=None,
        cluster=Cluster("x", state, made),
        state=state,
    )


def ready_node(name: str, ready: str = "True") -> dict:
    return {
        "metadata": {"name": name, "labels": {health.CONTROL_PLANE: ""}},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "addresses": [{"type": "InternalIP", "address": "10.87.0.77"}],
            "nodeInfo": {
                **dict.fromkeys(("architecture", "bootID", "containerRuntimeVersion"), "x"),
                **dict.fromkeys(("kernelVersion", "kubeProxyVersion", "machineID"), "x"),
                **dict.fromkeys(("operatingSystem", "osImage", "systemUUID"), "x"),
                "kubeletVersion": "v1.34.3",
            },
        },
    }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    words += " -addext subjectAltName=IP:127.0.0.51,IP:127.0.0.52,IP:127.0.0.53"
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    return folder


@contextmanager
def api_server(certificate, monkeypatch, answer):
    """Serve every server's API at one port: `answer` gives code and body for a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            code, body = answer(self.path)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)  # noqa: S104 - 127.0.0.51 and on
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setattr(api, "API_PORT", server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def lists(*nodes: dict):
    """Answer with these Node objects, and no pod."""

    def answer(path):
        items = list(nodes) if path.startswith("/api/v1/nodes") else []
        return 200, json.dumps({"items": items}).encode()

    return answer


def states(status) -> dict[str, str]:
    return {node.name: node.state for node in status.nodes}


def test_a_lab_whose_nodes_all_stopped_names_the_way_on(tmp_path):
    status = health.examine(the_lab(tmp_path, {"server-1": {}}, running=[]))
    assert status.problem == "No node runs, as after a reboot of this machine: run `lab up`."
    assert states(status) == {"server-1": "stopped"}
    assert {rate.problem for rate in status.frames} == {"no node runs"}
    assert not status.healthy


def test_a_host_that_no_machine_is_is_gone(tmp_path):
    says = {"cat": marked("server-1", "worker-1"), "curl": LEADER}
    status = health.examine(the_lab(tmp_path, {"server-1": says}))
    assert states(status) == {"server-1": "unknown", "worker-1": "gone"}
    assert status.missing == ("worker-1",)
    assert status.problem.startswith("worker-1 is gone: ")
    assert "`lab up`" in status.problem


def test_where_no_node_can_be_asked_this_machine_remembers_the_hosts(tmp_path):
    lab = the_lab(tmp_path, {"server-1": {}}, running=[])
    lab.state.remember_hosts({"server-1": "server", "worker-1": "worker"})
    status = health.examine(lab)
    assert states(status) == {"server-1": "stopped", "worker-1": "gone"}
    assert [node.role for node in status.nodes] == ["server", "worker"]


def test_a_node_of_kubernetes_without_a_machine_is_gone(tmp_path, certificate, monkeypatch):
    lab = the_lab(
        tmp_path, {"server-1": {"kubeconfig": trusting(certificate), "cat": marked("server-1")}}
    )
    nodes = lists(ready_node("server-1"), ready_node("server-9"))
    with api_server(certificate, monkeypatch, nodes):
        status = health.examine(lab)
    assert states(status) == {"server-1": "Ready", "server-9": "gone"}
    assert status.nodes[1].address == "10.87.0.77"
    assert not status.nodes[1].ready


def test_a_stopped_machine_is_never_ready(tmp_path, certificate, monkeypatch):
    says = {"kubeconfig": trusting(certificate)}
    lab = the_lab(tmp_path, {"server-1": says, "worker-1": says}, running=["server-1"])
    nodes = lists(ready_node("server-1"), ready_node("worker-1"))
    with api_server(certificate, monkeypatch, nodes):
        status = health.examine(lab)
    assert states(status) == {"server-1": "Ready", "worker-1": "stopped"}
    assert [node.ready for node in status.nodes] == [True, False]
    assert status.problem == "worker-1 does not run: run `lab up`."


def forbidden(_path):
    return 403, b'{"message": "nodes is forbidden: User \\"x\\" cannot list"}'


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda path: (401, b"{}"), "HTTP 401"),
        (forbidden, "HTTP 403 Forbidden: nodes is forbidden"),
        (lambda path: (500, b"etcdserver: request timed out"), "HTTP 500"),
        (lambda path: (200, b"garbage"), "server-1: "),
        (lambda path: (200, b'{"items": [{"metadata": null}]}'), "server-1: "),
        (lambda path: (200, b'{"items": [{"metadata": {"name": "x"}}]}'), "server-1: "),
        (lambda path: (200, b"[]"), "server-1: "),
    ],
)
def test_any_answer_of_an_api_is_a_sentence(tmp_path, certificate, monkeypatch, answer, says):
    lab = the_lab(tmp_path, {"server-1": {"kubeconfig": trusting(certificate), "curl": LEADER}})
    with api_server(certificate, monkeypatch, answer):
        status = health.examine(lab)
    assert status.problem.startswith("No API server answers")
    assert says in status.problem
    assert "0x" not in status.problem
    assert states(status) == {"server-1": "unknown"}


def test_a_server_of_another_cluster_is_told(tmp_path, certificate, monkeypatch):
    lab = the_lab(tmp_path, {"server-1": {"kubeconfig": KUBECONFIG, "curl": LEADER}})
    with api_server(certificate, monkeypatch, lists()):
        status = health.examine(lab)
    assert "server-1: its certificate is not of the cluster that the kubeconfig" in status.problem


def test_an_api_that_hangs_costs_its_limit_and_no_more(tmp_path, monkeypatch):
    lab = the_lab(
        tmp_path, {f"server-{number}": {"kubeconfig": KUBECONFIG} for number in (1, 2, 3)}
    )
    with socket.create_server(("0.0.0.0", 0), backlog=16) as silent:  # noqa: S104
        monkeypatch.setattr(api, "API_PORT", silent.getsockname()[1])
        started = time.monotonic()
        status = health.examine(lab)
        assert time.monotonic() - started < 14
    assert status.problem.count("timed out") + status.problem.count("no answer within") == 3
    assert "0x" not in status.problem


@pytest.mark.parametrize("damaged", ["", "{", "a: [", "\x00", "clusters: 3", "[]"])
def test_a_damaged_kubeconfig_is_a_sentence(tmp_path, damaged):
    status = health.examine(
        the_lab(tmp_path, {"server-1": {"kubeconfig": damaged, "curl": LEADER}})
    )
    assert status.problem.startswith("No API server answers")
    assert "is damaged. Run `lab up`, which writes it again." in status.problem


def test_etcd_without_a_majority_is_named(tmp_path):
    whole, without = {"kubeconfig": KUBECONFIG, "curl": NO_LEADER}, {"kubeconfig": KUBECONFIG}
    lab = the_lab(tmp_path, {"server-1": whole, "server-2": without, "server-3": without})
    status = health.examine(lab)
    assert "etcd has no majority: 1 of 3 servers has a member that runs, and 2 are needed." in (
        status.problem
    )


def test_a_node_whose_ssh_hangs_is_told(tmp_path, certificate, monkeypatch):
    says = {"kubeconfig": trusting(certificate)}
    lab = the_lab(tmp_path, {"server-1": says, "worker-1": {"hang": "Connection timed out"}})
    nodes = lists(ready_node("server-1"), ready_node("worker-1"))
    with api_server(certificate, monkeypatch, nodes):
        status = health.examine(lab)
    assert status.problem == "worker-1 runs, but does not answer to SSH: Connection timed out."


def test_lost_files_of_this_machine_are_told_with_the_cure(tmp_path):
    lab = the_lab(tmp_path, {"server-1": {"hang": "Host key verification failed"}})
    lab.state.remove()
    status = health.examine(lab)
    assert "Host key verification failed" in status.problem
    assert f"are lost ({lab.state.directory}): run `lab up`" in status.problem


def test_the_api_of_a_lab_is_asked_without_a_proxy(tmp_path, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    lab = the_lab(tmp_path, {"server-1": {"kubeconfig": KUBECONFIG}})
    pool = lab.cluster.api_of("server-1").rest_client.pool_manager
    assert getattr(pool, "proxy", None) is None


@pytest.mark.parametrize(
    ("refusals", "known"), [(1, ["server-2"]), (2, None)], ids=["another answers", "none answers"]
)
def test_a_server_that_starts_again_is_passed_over(
    tmp_path, certificate, monkeypatch, refusals, known
):
    """Also where it answered a moment ago."""
    config = trusting(certificate)
    lab = the_lab(tmp_path, {name: {"kubeconfig": config} for name in ("server-1", "server-2")})
    starting = {"kind": "Status", "message": "storage is (re)initializing"}
    answers = iter([(429, json.dumps(starting).encode())] * refusals)
    told = lists(ready_node("server-2"))
    with api_server(certificate, monkeypatch, lambda path: next(answers, told(path))):
        if known:
            assert [node.metadata.name for node in lab.cluster.list_nodes()] == known
            return
        with pytest.raises(LabError, match="No API server of the lab 'x' answers") as raised:
            lab.cluster.list_nodes()
    assert "server-1: HTTP 429" in raised.value.evidence
    assert "storage is (re)initializing" in raised.value.evidence


def test_a_cluster_that_was_not_built_is_told_without_blaming_etcd(tmp_path):
    status = health.examine(the_lab(tmp_path, {"server-1": {}}))
    assert status.problem == (
        "No server has a kubeconfig: the cluster is not built to its end. Run `lab up`."
    )


def test_a_lab_whose_servers_are_all_stopped_says_so(tmp_path):
    status = health.examine(the_lab(tmp_path, {"server-1": {}, "worker-1": {}}, ["worker-1"]))
    assert status.problem.splitlines()[0] == "server-1 does not run: run `lab up`."
    assert "No server runs" in status.problem


@pytest.mark.parametrize(
    ("phase", "owned", "replaced"),
    [("Failed", True, True), ("Failed", False, False), ("Running", True, False)],
)
def test_a_failed_pod_that_its_controller_has_replaced_is_no_part_of_the_lab(
    phase, owned, replaced
):
    owner = client.V1OwnerReference(
        api_version="apps/v1", kind="ReplicaSet", name="x", uid="u", controller=True
    )
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name="x-1", owner_references=[owner] if owned else None),
        status=client.V1PodStatus(phase=phase),
    )
    assert api.is_replaced(pod) is replaced
