"""The roles' shell helpers: they answer in JSON, whatever the node's programs say."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROLES = Path(__file__).parents[2] / "playbooks" / "roles"


class Node:
    """A machine whose programs are what a test says."""

    def __init__(self, directory: Path) -> None:
        self.programs = directory

    def has(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def ask(self, helper: str, *arguments: str, interpreter: str = "sh") -> Any:
        """Run a helper on its standard input, and read its answer.

        Over a connection with a terminal, its errors come among its output.
        """
        done = subprocess.run(
            [interpreter, "-s", "--", *arguments],
            input=(ROLES / helper).read_text(),
            env={"PATH": f"{self.programs}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=20,
        )
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.has("systemctl", 'case "$*" in *is-active*) exit 3 ;; *) echo 0 ;; esac')
    node.has("ip", "echo '2: eth0    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0'")
    node.has("k3s", "echo 'Client Version: v1.34.3+k3s1'; echo 'Kustomize Version: v5'")
    node.has("ss", "true")
    return node


def test_k3s_says_its_version_its_interface_and_that_it_is_new(node: Node) -> None:
    assert node.ask("k3s/files/look.sh", "10.0.0.11") == {
        "version": "v1.34.3+k3s1",
        "interface": "eth0",
        "told_to_join": False,
        "containerd_import": "template",
    }


def test_a_k3s_that_does_not_run_is_quoted(node: Node) -> None:
    node.has("k3s", "echo 'cannot execute \"k3s\":' >&2; echo 'Exec format error' >&2; exit 1")
    version = node.ask("k3s/files/look.sh", "10.0.0.11")["version"]
    assert version == 'that does not run (cannot execute "k3s": Exec format error)'


def test_a_service_that_does_not_run_is_to_be_started(node: Node) -> None:
    assert node.ask("k3s/files/due.sh", "k3s") == {"action": "start"}


@pytest.mark.parametrize(("settings", "action"), [("exit 0", "nothing"), ("exit 1", "restart")])
def test_a_service_that_runs_is_restarted_for_other_settings(
    node: Node, settings: str, action: str
) -> None:
    node.has("systemctl", "exit 0")
    node.has("sha256sum", settings)
    assert node.ask("k3s/files/due.sh", "k3s") == {"action": action}


def test_obstacles_are_told_with_their_own_quotes(node: Node) -> None:
    node.has("systemctl", "echo inactive")
    node.has("ss", """echo 'LISTEN 0 4096 *:6443 users:(("kube-apiserver",pid=1))'""")
    arguments = (str(node.programs / "k3s"), "10.0.0.11", "k3s", "k3s-agent")
    assert node.ask("k3s/files/obstacles.sh", *arguments, interpreter="bash") == {
        "obstacles": [
            'a port that k3s needs is taken: LISTEN 0 4096 *:6443 users:(("kube-apiserver",pid=1))'
        ]
    }
    node.has("ss", "true")
    assert node.ask("k3s/files/obstacles.sh", *arguments, interpreter="bash") == {"obstacles": []}


def test_a_machine_says_which_programs_it_lacks(node: Node) -> None:
    answer = node.ask("node/files/look.sh", "sh", "no-such-program")
    assert "program no-such-program" in answer["missing"]
    assert "program sh" not in answer["missing"]
    assert answer["resolver"] in ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf", "")


def test_a_machine_says_who_logs_in_and_what_it_is(node: Node) -> None:
    node.has("id", "echo pi")
    node.has("uname", "echo aarch64")
    assert node.ask("artefacts/files/look.sh") == {"user": "pi", "machine": "aarch64"}


K3S, KUBELET = "var/lib/rancher/k3s", "var/lib/kubelet"
NOTES = "etc/blackstart"
KUBEADM_SERVER = ("var/lib/etcd/data/member/", f"{KUBELET}/config.yaml")
K3S_SERVER = (f"{K3S}/server/db/etcd/member/", f"{K3S}/agent/client-kubelet.crt")
KUBEADM_WORKER = (f"{KUBELET}/config.yaml", f"{KUBELET}/pki/kubelet-client-current.pem")
K3S_WORKER = (f"{K3S}/agent/client-kubelet.crt",)


@pytest.mark.parametrize(
    ("kind", "files", "joined", "data"),
    [
        ("server", (), False, False),
        ("server", KUBEADM_SERVER, False, True),
        ("server", (f"{NOTES}/kubeadm.applied.yaml", *KUBEADM_SERVER), True, True),
        ("server", (f"{NOTES}/k3s.joined", *K3S_SERVER), True, True),
        # Wiped: all of it, etcd's part, or the kubelet's.
        ("server", (f"{NOTES}/k3s.joined",), True, False),
        ("server", (f"{NOTES}/kubeadm.applied.yaml", *KUBEADM_SERVER[1:]), True, False),
        ("server", (f"{NOTES}/kubeadm.applied.yaml", *KUBEADM_SERVER[:1]), True, False),
        # What other releases have left.
        ("server", (f"{K3S}/joined", *K3S_SERVER), True, True),
        ("worker", (), False, False),
        ("worker", (f"{NOTES}/kubeadm.applied.yaml", *KUBEADM_WORKER), True, True),
        ("worker", (f"{NOTES}/kubeadm.applied.yaml", *KUBEADM_WORKER[:1]), True, False),
        ("worker", (f"{NOTES}/k3s.joined", *K3S_WORKER), True, True),
        ("worker", (f"{NOTES}/k3s.joined",), True, False),
    ],
)
def test_a_node_says_what_it_has_of_a_cluster(
    node: Node, tmp_path: Path, kind: str, files: tuple[str, ...], joined: bool, data: bool
) -> None:
    node.has("curl", "exit 7")
    for name in files:
        file = tmp_path / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.mkdir() if name.endswith("/") else file.touch()
    assert node.ask("membership/files/look.sh", kind, str(tmp_path / "root")) == {
        "joined": joined,
        "data": data,
        "quorum": False,
        "seed": False,
    }


# curl's codes: answered; refused by HTTP, as etcd does without a quorum; timed out.
@pytest.mark.parametrize("code", [0, 22, 28])
def test_a_server_says_whether_etcd_has_a_quorum(node: Node, tmp_path: Path, code: int) -> None:
    node.has("curl", f"exit {code}")
    answer = node.ask("membership/files/look.sh", "server", str(tmp_path))
    assert answer["quorum"] is (code == 0)


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ({}, {"lab": "", "marked": False, "has": []}),
        (
            {f"{NOTES}/lab.json": '{"lab_name": "x"}', "etc/kubernetes/pki": ""},
            {"lab": "x", "marked": True, "has": ["/etc/kubernetes"]},
        ),
        # Cut off; and none, on a machine that runs Kubernetes.
        ({f"{NOTES}/lab.json": '{"lab_na'}, {"lab": "", "marked": True, "has": []}),
        ({f"{K3S}/server": ""}, {"lab": "", "marked": False, "has": ["/var/lib/rancher/k3s"]}),
    ],
)
def test_a_machine_says_whose_node_it_is(
    node: Node, tmp_path: Path, files: dict[str, str], answer: dict[str, Any]
) -> None:
    for name, text in files.items():
        file = tmp_path / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert node.ask("node/files/whose.sh", str(tmp_path / "root")) == answer


def test_a_containerd_says_who_else_uses_it(node: Node) -> None:
    node.has("systemctl", "exit 0")
    asked = """case "$*" in
      namespaces*) printf 'k8s.io\nmoby\nempty\n' ;;
      *moby*images*) echo sha256:1 ;;
    esac"""
    node.has("ctr", asked)
    assert node.ask("containerd/files/others.sh") == {"others": ["moby"]}
    node.has("systemctl", "exit 3")
    assert node.ask("containerd/files/others.sh") == {"others": []}


APPLIED = f"{NOTES}/kubeadm.applied.yaml"
MANIFEST = "etc/kubernetes/manifests/kube-apiserver.yaml"


@pytest.mark.parametrize(
    ("files", "running"),
    [
        # New, and half-made: no place in a cluster yet.
        ((), []),
        ((MANIFEST,), []),
        ((APPLIED,), ["v1.34.3"]),
        ((APPLIED, MANIFEST), ["v1.34.3", "v1.34.4"]),
    ],
)
def test_a_node_says_which_releases_it_runs(
    node: Node, tmp_path: Path, files: tuple[str, ...], running: list[str]
) -> None:
    node.has("systemctl", "echo 0")
    kubelet = tmp_path / "root/usr/local/bin/kubelet"
    kubelet.parent.mkdir(parents=True)
    kubelet.write_text("#!/bin/sh\necho Kubernetes v1.34.3\n")
    kubelet.chmod(0o755)
    for name in files:
        file = tmp_path / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("    image: registry.k8s.io/kube-apiserver:v1.34.4\n")
    root = str(tmp_path / "root")
    assert node.ask("kubeadm/files/release.sh", root, interpreter="bash") == {"running": running}
