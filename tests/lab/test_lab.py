"""The whole way of a user, in order: up, up again, look, break, other timers, break, down."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest
from kubernetes import client

from experiment import cases
from lab.cluster import etcd
from lab.cluster.endpoints import MYSQL_PORT
from lab.cluster.lab import find
from lab.host.command import CommandError, run
from lab.nodes.state import StateDirectory
from tests.kit import ROOT, Kit

pytestmark = pytest.mark.lab


def results(run: Path) -> dict[str, dict]:
    return {case["name"]: case for case in json.loads((run / "results.json").read_text())["cases"]}


@pytest.fixture(scope="module")
def thesis_run(running: Kit) -> Path:
    """Return the first run under the thesis' timers: that of README.md, where it was typed."""
    if not running.runs("thesis"):
        done = running.pytest("-k", "not harness")
        assert done.returncode == 0, done.stdout
    return running.runs("thesis")[0]


def test_frames_flow_outside_the_cluster(running):
    done = running.lab("status", "--json")
    status = json.loads(done.stdout)
    assert done.returncode == 0, status
    assert {rate["name"]: rate["frames_per_s"] >= 49 for rate in status["frames"]} == {
        "pdc-lower": True,
        "pdc-higher": True,
    }
    assert [node["role"] for node in status["nodes"]] == ["server", "server", "server", "worker"]


def test_pods_are_spread_as_in_tables_6_9_and_6_10(running):
    nodes = [pod["node"] for pod in running.fresh["pods"]]
    assert len(nodes) == 6
    assert sorted(nodes.count(node) for node in set(nodes)) == [1, 1, 2, 2]
    higher = [pod for pod in running.fresh["pods"] if pod["name"].startswith("pdc-higher")]
    assert [pod["node"] for pod in higher] == ["worker-1"]


def test_etcd_has_three_voting_members(running):
    lab = find(running.name)
    members = [etcd.member(server) for server in lab.cluster.servers]
    assert [(member.voting, member.has_leader) for member in members] == [(True, True)] * 3


def test_every_server_serves_the_api(running):
    lab = find(running.name)
    for server in lab.cluster.servers:
        core = client.CoreV1Api(lab.cluster.api_of(server.name))
        assert len(core.list_node(_request_timeout=5).items) == 4


def test_the_labs_mysql_holds_the_pdcs_configuration(running):
    lab = find(running.name)
    secret = client.CoreV1Api(lab.cluster.api()).read_namespaced_secret("mysql", "grid")
    password = base64.b64decode(secret.data["root-password"]).decode()
    server = f"{lab.nodes[0].address}:{MYSQL_PORT}:{password}"
    argv = [sys.executable, "-m", "pytest", "-m", "mysql", "tests/unit/grid/pdc/test_pdc_mysql.py"]
    environment = {**os.environ, "BLACKSTART_TEST_MYSQL": server}
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout


def test_up_on_a_running_lab_changes_nothing(running):
    done = running.up()
    assert done.returncode == 0
    assert "changed=0" in done.stdout


def test_second_up_at_the_same_time_is_refused(running):
    first = subprocess.Popen(
        [running.clone.programs / "lab", "up"],
        cwd=running.clone.directory,
        env=running.clone.environment(active=True, **running.environment),
        # Where the tests run in the background of a shell, children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(2)
        second = running.up()
        assert second.returncode == 1
        assert f"process {first.pid}" in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        assert first.wait(60) == 130


def test_nothing_of_the_lab_reaches_another_network(running):
    engine = docker.from_env()
    image = engine.containers.get(f"{running.name}-worker-1").image
    outside = engine.containers.run(
        image,
        ["python3", "-m", "http.server", "8000"],
        detach=True,
        labels={"blackstart.lab-test": running.name},
    )
    try:
        outside.reload()
        address = outside.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        url = f"http://{address}:8000/"
        _wait(lambda: run(["curl", "-sf", "-m", "3", url], check=False).returncode == 0, 30)
        worker = find(running.name).node("worker-1")
        with pytest.raises(CommandError, match="exit code"):
            worker.run(["curl", "-sf", "-m", "5", url])
        # A service address that nobody has: before kube-proxy knows a service, it is the same.
        with pytest.raises(CommandError, match="exit code"):
            worker.run(["curl", "-sf", "-m", "5", "-k", "https://10.96.255.254/"])
    finally:
        outside.remove(force=True, v=True)


def test_thesis_timers(running, thesis_run):
    measured = results(thesis_run)
    collected = running.pytest("-k", "not harness", "--collect-only", "-q")
    tests = re.findall(r"::(\w+)\[", collected.stdout)
    assert sorted(measured) == sorted(cases.name_of(test) for test in tests)
    assert all(case["outcome"] == "passed" for case in measured.values())
    assert measured["worker-isolated"]["intervals"]["not_ready"]["seconds"] > 20
    page = (thesis_run / "index.html").read_text()
    assert "<svg" in page
    assert 'src="http' not in page


def test_other_timers_on_the_running_lab(running):
    done = running.up("lab_profile=floor")
    assert done.returncode == 0, done.stderr
    assert "changed=0" not in done.stdout
    again = running.up("lab_profile=floor")
    assert "changed=0" in again.stdout


def test_floor_timers(running):
    done = running.pytest()
    assert done.returncode == 0, done.stdout
    measured = results(running.runs("floor")[-1])
    assert measured["worker-isolated"]["intervals"]["not_ready"]["seconds"] < 20


def test_down_leaves_nothing(running):
    volumes = running.volumes()
    assert len(volumes) == 4 * 4 + 1
    assert running.lab("down").returncode == 0
    assert running.leftovers() == []
    kept = {volume.name for volume in docker.from_env().volumes.list()}
    assert not kept & volumes
    assert not StateDirectory(running.name).directory.exists()
    done = running.lab("status")
    assert done.returncode == 1
    assert "There is no lab" in done.stderr


def _wait(done, limit_s: float) -> None:
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < limit_s
        time.sleep(0.5)
