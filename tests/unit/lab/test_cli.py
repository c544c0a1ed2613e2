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
from lab.commands import cli, options
from lab.commands.life import down, up
from lab.commands.look import status
from lab.console.errors import LabError
from lab.providers.container import engine
from service import __version__

RUN = "from lab.__main__ import main; main()"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(cli.app, list(words))


def the_status(**changes):
    node = NodeStatus(
        name="server-1",
        role="server",
        address="10.87.0.11",
        state="Ready",
        running=True,
        ready=True,
        version="v1",
    )
    pod = PodStatus(name="mysql-0", node="server-1", phase="Running", ready=True, restarts=0)
    rate = FrameRate(name="pdc-higher", frames_per_s=50.0, address="10.87.0.11:30502", problem="")
    whole = {
        **{
            "lab": "x",
            "distribution": "kubeadm",
            "profile": "thesis",
            "problem": "",
            "missing": (),
        },
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


def test_every_verb_has_a_file_that_explains_it_in_the_same_words():
    for room, verbs in cli.ROOMS.items():
        files = {path.stem for path in (Path(cli.__file__).parent / room).glob("*.py")}
        assert files >= {verb.replace("-", "_") for verb in verbs}
    assert cli.MODULES.keys() == cli.VERBS.keys()
    for verb, help_text in cli.VERBS.items():
        function = getattr(import_module(cli.MODULES[verb]), verb.replace("-", "_"))
        assert function.__doc__.splitlines()[0] == help_text


def test_every_verb_shows_an_example_and_its_options_in_plain_words(run):
    for verb in cli.VERBS:
        for words in ((verb, "--help"), (verb, "-h"), ("help", verb)):
            done = run(*words)
            assert done.exit_code == 0, done.stderr
            assert f"lab {verb}" in done.stdout.split("Examples:")[1]
            assert ("--name NAME" in done.stdout) is (verb != "profile")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stauts"], "Did you mean 'status', 'start'?"),
        (["help", "stauts"], "Did you mean 'status', 'start'?"),
        (["up", "--nmae", "x"], "--name"),
        (["--inventory", "x", "status"], "No such option: --inventory"),
        (["ssh"], "Missing argument"),
        (["ssh", "worker-1", "-L", "80:x:80"], "No such option: -L"),
    ],
)
def test_a_command_line_that_cannot_be_meant_ends_with_2(run, words, says):
    done = run(*words)
    assert done.exit_code == 2
    assert says in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--name", "nix", "status"],
        ["status", "--name", "nix"],
        ["--name=other", "status", "--name", "nix"],
        ["--name", "nix", "ssh", "worker-1", "ls"],
        ["ssh", "worker-1", "--name", "nix", "ls"],
        ["--name", "nix", "logs", "worker-1", "-f"],
        ["logs", "worker-1", "-f", "--name", "nix"],
        ["--name", "nix", "kubectl", "get", "pods"],
        ["kubectl", "--name", "nix", "get", "pods"],
    ],
)
def test_the_labs_name_stands_before_or_after_the_verb(run, monkeypatch, words):
    asked = []

    def find(name):
        asked.append(name)
        raise LabError("asked")

    for verb in ("status", "ssh", "logs", "kubectl"):
        monkeypatch.setattr(f"{cli.MODULES[verb]}.find", find)
    done = run(*words)
    assert (done.exit_code, asked) == (1, ["nix"]), done.stderr


def test_the_inventory_and_settings_stand_before_the_verb_too(run):
    done = run("-i", str(options.EMBEDDED), "--set", "lab_profil=floor", "up")
    assert done.exit_code == 1
    assert "lab_profil: unknown" in done.stderr


@pytest.mark.parametrize("stopped", [False, True])
def test_a_lab_that_is_not_there_names_those_that_are(run, tmp_path, monkeypatch, stopped):
    monkeypatch.setattr(engine, "SOCKET", tmp_path / "docker.sock")
    monkeypatch.setattr(engine, "DATA_DIRECTORY", tmp_path if stopped else tmp_path / "none")
    for name in ("second", "third"):
        (tmp_path / "state" / name).mkdir(parents=True)
    done = run("status", "--name", "secnd")
    assert "Is second meant?" in done.stderr
    assert "second, third" in done.stderr
    assert ("No Docker engine answers" in done.stderr) is stopped


@pytest.mark.parametrize("words", ["--help", "help up"])
def test_a_reader_that_leaves_is_no_error(words):
    with subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep(0.5)\n{RUN}", *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 141


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


def test_a_look_ahead_that_is_interrupted_changed_nothing(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(up, "would_do", interrupt)
    done = run("up", "--check")
    assert done.exit_code == 130
    assert done.stderr.strip() == "Stopped. Nothing was changed."
