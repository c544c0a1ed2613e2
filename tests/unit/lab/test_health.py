"""What `lab status` knows of a lab without asking a cluster."""

from lab.cluster import health
from lab.cluster.api import Cluster
from lab.cluster.lab import Lab
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


def the_lab(tmp_path, running=frozenset()):
    state = StateDirectory("x", tmp_path)
    node = Node(name="a", cluster="x", role="server", address="192.0.2.1", ssh=state.ssh)
    cluster = Cluster("x", state, [node])
    return Lab(name="x", nodes=(node,), running=running, cluster=cluster, state=state)


def test_a_lab_whose_nodes_all_stopped_names_the_way_on(tmp_path):
    status = health.examine(the_lab(tmp_path))
    assert status.problem == "No node runs, as after a reboot of this machine: run `lab up`."
    assert [(node.running, node.ready) for node in status.nodes] == [(False, False)]
    assert {rate.problem for rate in status.frames} == {"no node runs"}
    assert not status.healthy


def test_the_api_of_a_lab_is_asked_without_a_proxy(tmp_path, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    lab = the_lab(tmp_path)
    lab.state.directory.mkdir()
    lab.state.kubeconfig("x", "a").write_text(KUBECONFIG)
    pool = lab.cluster.api_of("a").rest_client.pool_manager
    assert getattr(pool, "proxy", None) is None
