"""`lab stop` and `lab start`, with an engine and a cluster that stand in."""

import pytest
from typer.testing import CliRunner

from lab.commands import cli
from lab.commands.life import start
from lab.nodes.state import StateDirectory
from lab.providers.container import engine
from tests.unit.lab.fake_engine import Container, client_of


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    state = StateDirectory("x")
    state.remember_hosts({"server-1": "server", "worker-1": "worker"})
    state.make_keys()
    state.know_hosts(["10.87.0.11"])
    found = [Container("server-1"), Container("worker-1")]
    monkeypatch.setattr(engine, "connect", lambda: client_of(found))
    return found


def lab(*words):
    return CliRunner().invoke(cli.app, [*words, "--name", "x"])


def test_every_node_is_stopped(nodes):
    done = lab("stop")
    assert done.exit_code == 0, done.stderr
    assert [node.done for node in nodes] == [["stop"], ["stop"]]
    assert "`lab start` goes on with it" in done.stdout


def test_a_node_that_the_engine_keeps_is_named(nodes):
    nodes[1].refuses = Container("x", refuses="it is busy").refuses
    done = lab("stop")
    assert done.exit_code == 1
    assert "refused to stop x-worker-1: it is busy" in done.stderr


def test_start_waits_for_frames_and_changes_nothing_else(nodes, monkeypatch):
    waited = []
    monkeypatch.setattr(start, "boot", lambda provider, _: waited.append("boot"))
    monkeypatch.setattr(start, "await_frames", lambda cluster, _: waited.append("frames"))
    done = lab("start")
    assert done.exit_code == 0, done.stderr
    assert waited == ["boot", "frames"]


def test_a_lab_that_lacks_a_node_is_not_started(nodes, monkeypatch):
    monkeypatch.setattr(start, "boot", lambda *_: pytest.fail("started"))
    del nodes[0]
    done = lab("start")
    assert done.exit_code == 1
    assert "lacks nodes: server-1" in done.stderr
    assert "Run `lab up`" in done.stderr
