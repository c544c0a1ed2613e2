import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from lab.cluster import health
from lab.cluster.frames import FrameRate, not_flowing
from lab.cluster.health import LabStatus, NodeStatus, PodStatus
from lab.commands import cli, down, kubectl, options, ssh, status, up
from lab.console.errors import LabError
from service import __version__


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(cli.app, list(words))


def the_status(**changes):
    node = NodeStatus(
        name="server-1", role="server", address="10.87.0.11", running=True, ready=True, version="v1"
    )
    pod = PodStatus(name="mysql-0", node="server-1", phase="Running", ready=True, restarts=0)
    rate = FrameRate(name="pdc-higher", frames_per_s=50.0, address="10.87.0.11:30502", problem="")
    whole = {
        **{"lab": "x", "distribution": "kubeadm", "profile": "thesis", "problem": ""},
        **{"nodes": (node,), "pods": (pod,), "frames": (rate,)},
    }
    return LabStatus(**{**whole, **changes})


def test_wrong_settings_are_told_with_the_cure_and_nothing_is_made(run):
    done = run("up", "--set", "lab_profil=floor")
    assert done.exit_code == 1
    assert "lab_profil: unknown; is lab_profile meant?" in done.stderr
    assert "inventories/embedded/group_vars/all.yml" in done.stderr


def test_setting_without_a_value(run):
    done = run("up", "--set", "lab_profile")
    assert done.exit_code == 1
    assert "KEY=VALUE" in done.stderr


def test_two_servers_are_refused(run, tmp_path):
    hosts = {"servers": {"hosts": {"a": None, "b": None}}, "workers": {"hosts": {}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": hosts}}))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("{}")
    done = run("up", "--inventory", str(tmp_path))
    assert done.exit_code == 1
    assert "has 2 servers; etcd needs an odd number" in done.stderr


def test_interrupted_command_tells_the_way_on(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(down, "remove", interrupt)
    done = run("down")
    assert done.exit_code == 130
    assert "`lab up` goes on from here" in done.stderr


def test_status_as_json_ends_with_0_when_all_is_well(run, monkeypatch):
    monkeypatch.setattr(status, "find", lambda name: name)
    monkeypatch.setattr(health, "examine", lambda lab: the_status())
    done = run("status", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["healthy"] is True


@pytest.mark.parametrize(
    "broken",
    [
        {"problem": "no API server answers"},
        {"frames": (FrameRate(name="pdc-higher", frames_per_s=0, address="", problem="refused"),)},
        {"pods": (PodStatus(name="p", node="", phase="Pending", ready=False, restarts=0),)},
    ],
)
def test_status_ends_with_1_when_something_is_wrong(run, monkeypatch, broken):
    monkeypatch.setattr(status, "find", lambda name: name)
    monkeypatch.setattr(health, "examine", lambda lab: the_status(**broken))
    done = run("status")
    assert done.exit_code == 1
    assert "not healthy" in done.stdout


def test_missing_lab_is_one_sentence(run, monkeypatch):
    def absent(name):
        raise LabError(f"There is no lab {name!r} on this machine.", "Make it with `lab up`.")

    monkeypatch.setattr(status, "find", absent)
    done = run("status", "--name", "nix")
    assert done.exit_code == 1
    assert done.stderr.strip().splitlines()[0] == "error: There is no lab 'nix' on this machine."


@pytest.mark.parametrize(("rate", "flows"), [(50.0, True), (49.0, True), (48.5, False), (0, False)])
def test_two_frames_in_two_seconds_may_be_missing(rate, flows):
    rates = [FrameRate(name="pdc-lower", frames_per_s=rate, address="a", problem="")]
    assert (not_flowing(rates) is None) is flows


def test_kubectl_gets_its_arguments_as_they_are(run, monkeypatch):
    called = []
    monkeypatch.setattr(kubectl, "find", lambda name: name)
    monkeypatch.setattr(kubectl, "kubectl_argv", lambda lab, words, *, terminal: [lab, *words])
    monkeypatch.setattr(options, "become", called.extend)
    run("kubectl", "--name", "second", "-n", "grid", "exec", "pod", "--", "sh", "-c", "ls -l")
    assert called == ["second", "-n", "grid", "exec", "pod", "--", "sh", "-c", "ls -l"]


def test_every_verb_has_a_file_that_explains_it_in_the_same_words():
    folder = Path(cli.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "cli", "options"}
    assert files == set(cli.VERBS)
    for verb, help_text in cli.VERBS.items():
        function = getattr(import_module(f"lab.commands.{verb}"), verb)
        assert function.__doc__.splitlines()[0] == help_text


def test_help_imports_no_verb(tmp_path):
    script = (
        "import sys; from lab.commands.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m in ('docker', 'kubernetes', 'pydantic')))"
    )
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "preflight" in done.stdout


def test_version(run):
    done = run("--version")
    assert (done.exit_code, done.stdout.strip()) == (0, f"lab {__version__}")


@pytest.fixture
def ssh_to(run, monkeypatch):
    """Return what `lab ssh WORDS` would hand to ssh after the destination."""
    called = []

    class Here:
        def node(self, name):
            return self

        def ssh_argv(self):
            return ("ssh", "node")

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
        (["worker-1", "--", "sh", "-c", "echo one; echo two"], ["sh -c 'echo one; echo two'"]),
        (["worker-1", "echo one; echo two"], ["echo one; echo two"]),
    ],
)
def test_everything_after_the_node_is_the_command(ssh_to, words, remote):
    assert ssh_to(*words) == remote


def test_a_manifest_of_this_machine_is_handed_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cm.yaml").write_text("kind: ConfigMap")
    file = Path("cm.yaml")
    for before, after in [
        (["apply", "-f", "cm.yaml"], ["apply", "-f", "-"]),
        (["apply", "-n", "grid", "--filename=cm.yaml"], ["apply", "-n", "grid", "--filename=-"]),
    ]:
        assert kubectl.with_manifest(before) == (after, file)


@pytest.mark.parametrize(
    "words",
    [
        ["logs", "-f", "cm.yaml"],
        ["exec", "pod", "--", "apply", "-f", "cm.yaml"],
        ["apply", "-f", "-"],
        ["apply", "-f", "https://example.org/x.yaml"],
        ["apply", "-f"],
    ],
)
def test_other_words_of_kubectl_are_left_alone(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cm.yaml").write_text("kind: ConfigMap")
    assert kubectl.with_manifest(words) == (words, None)


@pytest.mark.parametrize("words", [["-f", "."], ["-f", "a.yaml", "-f", "a.yaml"], ["-k", "."]])
def test_what_standard_input_cannot_carry_names_the_way(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("")
    with pytest.raises(LabError, match="none of this machine's files") as caught:
        kubectl.with_manifest(["apply", *words])
    assert "lab kubeconfig" in caught.value.cure
    assert "-f -" in caught.value.cure


@pytest.mark.parametrize("verb", ["status", "down"])
def test_a_name_that_no_lab_may_have_is_one_sentence(run, verb):
    done = run(verb, "--name", "A")
    assert done.exit_code == 1
    assert "'A' is no name of a lab." in done.stderr


def test_an_inventory_that_is_a_file_is_refused_with_its_directory(run):
    done = run("preflight", "-i", str(options.EMBEDDED / "hosts.yml"))
    assert done.exit_code == 1
    assert f"--inventory {options.EMBEDDED}" in done.stderr


@pytest.mark.parametrize(
    ("name", "suite", "command"),
    [
        ("blackstart", "", "pytest -m failover"),
        ("second", "", "pytest -m failover --lab second"),
        ("second", "--pyargs suites", "pytest -m failover --pyargs suites --lab second"),
    ],
)
def test_the_next_steps_of_up_are_commands_to_type(monkeypatch, name, suite, command):
    monkeypatch.setattr(up, "SUITE", suite)
    lines = up._next_steps(name).splitlines()
    assert lines[2].split("   ")[0].strip() == command
    assert len({len(line) - len(line.split("   ")[-1].lstrip()) for line in lines}) == 1
