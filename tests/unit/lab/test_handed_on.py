"""`lab ssh`, `lab kubectl` and `lab logs`: how words are handed on to another program."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lab.cluster.lab import Lab
from lab.commands import cli, options
from lab.commands.look import logs
from lab.commands.reach import kubectl, ssh
from lab.console.errors import LabError
from lab.nodes.node import Node
from lab.nodes.state import StateDirectory


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path / "state"))
    return lambda *words: CliRunner().invoke(cli.app, list(words))


@pytest.fixture
def ssh_to(run, monkeypatch):
    """Return what `lab ssh WORDS` would hand to ssh after the destination."""
    called = []

    class Here:
        def running_node(self, name):
            assert name == "worker-1"
            return self

        def ssh_argv(self, *options):
            return ("ssh", "node", *options)

    monkeypatch.setattr(ssh, "find", lambda name: Here())
    monkeypatch.setattr(options, "become", called.extend)

    def ssh_to(*words):
        done = run("ssh", *words)
        assert done.exit_code == 0, done.stderr
        return called[2:]

    return ssh_to


@pytest.mark.parametrize(
    ("words", "remote"),
    [
        (["worker-1"], []),
        (["worker-1", "uname", "-a"], ["uname -a"]),
        (["--name", "second", "worker-1", "ls", "--name"], ["ls --name"]),
        (["worker-1", "--name", "second", "ls", "-l", "--name"], ["ls -l --name"]),
        (["worker-1", "--name=second"], []),
        (["worker-1", "--", "sh", "-c", "echo one; echo two"], ["sh -c 'echo one; echo two'"]),
        (["worker-1", "echo one; echo two"], ["echo one; echo two"]),
    ],
)
def test_everything_after_the_node_is_the_command(ssh_to, words, remote):
    assert ssh_to(*words) == remote


def test_kubectl_gets_its_arguments_as_they_are(run, monkeypatch):
    called = []
    monkeypatch.setattr(kubectl, "find", lambda name: name)
    monkeypatch.setattr(kubectl, "kubectl_argv", lambda lab, words, *, terminal: [lab, *words])
    monkeypatch.setattr(options, "become", called.extend)
    run("kubectl", "--name", "second", "-n", "grid", "exec", "pod", "--", "sh", "-c", "ls -l")
    assert called == ["second", "-n", "grid", "exec", "pod", "--", "sh", "-c", "ls -l"]


@pytest.mark.parametrize(("command", "terminal"), [(["top"], ["-t", "top"]), ([], [])])
def test_a_command_gets_a_terminal_where_a_person_sits_at_one(
    ssh_to, monkeypatch, command, terminal
):
    monkeypatch.setattr(options, "at_terminal", lambda: True)
    assert ssh_to("worker-1", *command) == terminal


def test_output_that_goes_to_a_file_gets_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: False))
    assert not options.at_terminal()
    monkeypatch.setattr(sys, "stdin", None)
    assert not options.at_terminal()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder with manifests, which is the current one."""
    folder = tmp_path / "here"
    (folder / "more" / "deep").mkdir(parents=True)
    for name in (
        "cm.yaml",
        "b.json",
        "more/1.yml",
        "more/2.yaml",
        "more/deep/3.yaml",
        "more/x.txt",
    ):
        (folder / name).write_text(f"{{kind: {Path(name).stem}}}")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("before", "after", "files"),
    [
        (["apply", "-f", "cm.yaml"], ["apply", "-f", "-"], ["cm.yaml"]),
        (["apply", "-fcm.yaml"], ["apply", "-f", "-"], ["cm.yaml"]),
        (["-n", "grid", "apply", "-f", "cm.yaml"], ["-n", "grid", "apply", "-f", "-"], ["cm.yaml"]),
        (
            ["apply", "--filename=cm.yaml", "-o", "x"],
            ["apply", "--filename", "-", "-o", "x"],
            ["cm.yaml"],
        ),
        (["apply", "-f", "cm.yaml", "-f", "b.json"], ["apply", "-f", "-"], ["cm.yaml", "b.json"]),
        (["apply", "-f", "cm.yaml,b.json"], ["apply", "-f", "-"], ["cm.yaml", "b.json"]),
        (["apply", "-f", "more"], ["apply", "-f", "-"], ["more/1.yml", "more/2.yaml"]),
        (["label", "-f", "b.json", "a=b"], ["label", "-f", "-", "a=b"], ["b.json"]),
        (
            ["delete", "-R", "-f", "more"],
            ["delete", "-R", "-f", "-"],
            ["more/1.yml", "more/2.yaml", "more/deep/3.yaml"],
        ),
    ],
)
def test_manifests_of_this_machine_are_handed_on(here, before, after, files):
    assert kubectl.with_manifests(before) == (after, [Path(file) for file in files])


def test_several_manifests_are_documents_of_one_stream(here):
    files = [here / "b.json", here / "cm.yaml"]
    assert kubectl.joined(files[:1]) == b"{kind: b}"
    assert kubectl.joined(files) == b"---\n{kind: b}\n---\n{kind: cm}\n"


def test_the_program_reads_the_manifests_from_its_standard_input(here, run, monkeypatch):
    read = []
    monkeypatch.setattr(kubectl, "find", lambda name: name)
    monkeypatch.setattr(kubectl, "kubectl_argv", lambda lab, words, *, terminal: words)
    system = SimpleNamespace(dup2=lambda file, to: read.append((os.read(file, 99), to)))
    monkeypatch.setattr(kubectl, "os", system)
    monkeypatch.setattr(options, "become", lambda argv: None)
    done = run("kubectl", "apply", "-f", "cm.yaml", "-f", "b.json")
    assert done.exit_code == 0, done.stderr
    assert read == [(b"---\n{kind: cm}\n---\n{kind: b}\n", 0)]


@pytest.mark.parametrize(
    "words",
    [
        ["logs", "-f", "cm.yaml"],
        ["exec", "pod", "--", "apply", "-f", "cm.yaml"],
        ["apply", "-f", "-"],
        ["apply", "-f", "absent.yaml"],
        ["apply", "-f"],
        ["get", "pods", "-n", "apply"],
        [],
    ],
)
def test_other_words_of_kubectl_are_left_alone(here, words):
    assert kubectl.with_manifests(words) == (words, [])


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["apply", "-k", "more"], "lab kubeconfig"),
        (["create", "configmap", "x", "--from-file=key=cm.yaml"], "lab kubeconfig"),
        (["-n", "grid", "cp", "a", "b:/c"], "lab kubeconfig"),
        (["port-forward", "svc/mysql", "3306"], "lab kubeconfig"),
        (["edit", "cm/x"], "lab kubeconfig"),
        (["config", "view"], "lab kubeconfig"),
    ],
)
def test_what_only_a_kubectl_of_this_machine_can_do_names_the_way(here, words, cure):
    with pytest.raises(LabError, match="runs on a server of the lab") as caught:
        kubectl.refuse_local(words)
    assert cure in caught.value.cure


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["apply", "-f", "https://example.org/x.yaml"], "curl -fsSL https://example.org/x.yaml |"),
        (["apply", "-f", "cm.yaml", "-f", "-"], "lab kubeconfig"),
        (["apply", "-f", "."], None),
        (["apply", "-f", "empty"], "-R"),
    ],
)
def test_what_standard_input_cannot_carry_names_the_way(here, words, cure):
    (here / "empty").mkdir()
    if cure is None:
        assert kubectl.with_manifests(words)[1] == [Path("b.json"), Path("cm.yaml")]
        return
    with pytest.raises(LabError) as caught:
        kubectl.with_manifests(words)
    assert cure in caught.value.cure


@pytest.mark.parametrize("words", [["get", "pods", "--name", "x"], ["get", "pods", "--name=x"]])
def test_the_labs_name_among_kubectls_words_names_its_place(run, words):
    done = run("kubectl", *words)
    assert done.exit_code == 2
    assert "lab kubectl --name NAME get" in done.stderr


@pytest.mark.parametrize(
    "words", [["expose", "pod", "x", "--name", "y"], ["exec", "x", "--", "prog", "--name", "y"]]
)
def test_a_name_that_is_kubectls_own_reaches_it(run, monkeypatch, words):
    called = []
    monkeypatch.setattr(kubectl, "find", lambda name: name)
    monkeypatch.setattr(kubectl, "kubectl_argv", lambda lab, words, *, terminal: words)
    monkeypatch.setattr(options, "become", called.extend)
    done = run("kubectl", *words)
    assert (done.exit_code, called) == (0, words), done.stderr


def pod(name, namespace="grid", app="", ran=True):
    waiting = SimpleNamespace(reason="ErrImageNeverPull", message="image x is not present")
    container = SimpleNamespace(
        container_id="containerd://1" if ran else None,
        restart_count=0,
        state=SimpleNamespace(waiting=None if ran else waiting),
    )
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name=name, namespace=namespace, labels={logs.APP: app} if app else None
        ),
        status=SimpleNamespace(
            container_statuses=[container],
            init_container_statuses=None,
            conditions=[],
            phase="Pending",
        ),
    )


@pytest.fixture
def lab(tmp_path):
    state = StateDirectory("x", tmp_path)
    node = Node(name="worker-1", cluster="x", role="worker", address="10.9.8.7", ssh=state.ssh)
    pods = [pod("pdc-higher-7d9-abc", app="pdc-higher"), pod("coredns-66b", "kube-system")]
    pods.append(pod("pmu-1-1", app="pmu-1", ran=False))
    deployments = [SimpleNamespace(metadata=SimpleNamespace(name="mysql"))]
    cluster = SimpleNamespace(list_pods=lambda: pods, list_deployments=lambda _: deployments)
    return Lab(
        name="x",
        nodes=(node,),
        running=frozenset(),
        provider=None,
        cluster=cluster,
        state=state,
    )


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("pdc-higher", ["-n", "grid", "-l", "app.kubernetes.io/name=pdc-higher"]),
        ("pdc-higher-7d9-abc", ["-n", "grid", "pdc-higher-7d9-abc"]),
        ("coredns-66b", ["-n", "kube-system", "coredns-66b"]),
    ],
)
def test_logs_are_of_a_workload_or_of_any_pod(lab, what, words):
    assert logs.select(lab, what) == words


@pytest.mark.parametrize(
    ("what", "message", "cure"),
    [
        ("pdc-highr", "has no node, workload or pod 'pdc-highr'", "Is pdc-higher"),
        ("worker1", "has no node, workload or pod 'worker1'", "Is worker-1 meant?"),
        ("coredns", "has no node, workload or pod 'coredns'", "coredns-66b"),
        (
            "zzz",
            "has no node, workload or pod 'zzz'",
            "Workloads: mysql, pdc-higher",
        ),
        ("mysql", "mysql has no pod at this moment", "describe deployment mysql"),
        ("pmu-1", "no container of it has run yet", "describe pod pmu-1-1"),
    ],
)
def test_logs_of_what_has_none_say_why(lab, what, message, cure):
    with pytest.raises(LabError) as caught:
        logs.select(lab, what)
    assert message in caught.value.message
    assert cure in caught.value.cure


def test_logs_where_no_api_answers_still_name_the_near_node(lab):
    def fail():
        raise LabError("No API server of the lab 'x' answers.", "Run `lab heal`.")

    lab.cluster.list_pods = fail
    with pytest.raises(LabError, match="worker1 is no node") as caught:
        logs.select(lab, "worker1")
    assert caught.value.cure.startswith("Is worker-1 meant?")


def test_a_node_that_is_off_is_told_with_the_cure(lab):
    with pytest.raises(LabError, match="worker-1 does not run") as caught:
        lab.running_node("worker-1")
    assert "`lab up`" in caught.value.cure
    with pytest.raises(LabError, match="no node 'worker-l'") as caught:
        lab.running_node("worker-l")
    assert "Is worker-1 meant?" in caught.value.cure
