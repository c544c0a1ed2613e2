import json

import pytest
import yaml
from typer.testing import CliRunner

from lab.cluster import health
from lab.cluster.frames import FrameRate, not_flowing
from lab.cluster.health import LabStatus, NodeStatus, PodStatus
from lab.commands import cli, down, kubectl, options, status
from lab.console.errors import LabError


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
