"""The whole way of a user, in order: up, up again, look, break, other timers, break, down."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import docker
import pytest
from kubernetes import client

from experiment import cases
from experiment.workloads import pods, replicas
from lab.cluster import etcd
from lab.cluster.lab import find
from lab.faults.fault import Unwritten, inject
from lab.faults.isolate import Isolate
from lab.host.command import CommandError, run
from lab.nodes.state import StateDirectory
from tests.kit import ROOT, Kit
from tests.lab import border
from tests.lab.mysql_in_memory import mysql_in_memory
from tests.lab.until import until

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
    query = "SELECT Acronym FROM {0}.OutputStream"
    script = f'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -N -e "{query}"'
    for level in ("lower", "higher"):
        words = ["-n", "grid", "exec", "deploy/mysql", "--", "sh", "-c", script.format(level)]
        done = running.lab("kubectl", *words)
        assert done.stdout.split() == [f"PDC-{level.upper()}"], done.stderr


def test_the_pdcs_tables_in_a_mysql_of_the_labs_image(running):
    with mysql_in_memory(find(running.name)) as server:
        argv = [sys.executable, "-m", "pytest", "-m", "mysql", "tests/unit/grid/pdc"]
        environment = {**os.environ, "BLACKSTART_TEST_MYSQL": server}
        done = subprocess.run(
            argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_words_and_exit_codes_are_those_of_the_nodes_program(running):
    done = running.lab("ssh", "worker-1", "sh", "-c", "echo 'one  two'; exit 7")
    assert (done.returncode, done.stdout) == (7, "one  two\n")


def test_several_manifests_of_this_machine_reach_the_cluster(running, tmp_path):
    for name in ("a", "b"):
        about = f"metadata: {{name: {name}, namespace: default}}"
        (tmp_path / f"{name}.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{about}\n")
    files = [word for name in ("a", "b") for word in ("-f", str(tmp_path / f"{name}.yaml"))]
    done = running.lab("kubectl", "apply", *files)
    assert done.stdout.splitlines() == ["configmap/a created", "configmap/b created"], done.stderr
    done = running.lab("kubectl", "delete", "-f", str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_logs_of_a_name_that_is_not_there_name_the_near_ones(running):
    done = running.lab("logs", "pdc-highr")
    assert done.returncode == 1
    assert "Is pdc-higher" in done.stderr
    pod = next(p["name"] for p in running.fresh["pods"] if p["name"].startswith("pmu-1"))
    assert running.lab("logs", pod, "-n", "3").stdout


def test_doctor_packs_everything_but_secrets(running, tmp_path):
    done = running.lab("doctor", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        files = {
            name.partition("/")[2]: packed.extractfile(name).read().decode()
            for name in packed.getnames()
        }
    assert "Ready" in files["cluster/overview.txt"]
    assert "pdc-higher" in files["cluster/pods.txt"]
    assert not [name for name, said in files.items() if said.startswith("no answer")]
    for node in ("server-1", "worker-1"):
        assert "systemd" in files[f"nodes/{node}/journal.txt"]
        assert "grid" in files[f"nodes/{node}/containers.txt"]
    core = client.CoreV1Api(find(running.name).cluster.api())
    secret = core.read_namespaced_secret("mysql", "grid", _request_timeout=5)
    everything = "".join(files.values())
    for encoded in secret.data.values():
        assert encoded not in everything
        assert base64.b64decode(encoded).decode() not in everything
    assert "PRIVATE KEY-----\nM" not in everything


def test_up_on_a_running_lab_changes_nothing(running):
    done = running.up()
    assert done.returncode == 0
    assert "changed=0" in done.stdout


def test_check_tells_what_would_change_and_changes_nothing(running):
    assert running.lab("up", "--check").stdout == "Nothing would change.\n"
    done = running.lab("up", "--set", "lab_profile=floor", "--check")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("would: ")
    assert "timers 'thesis'" in running.lab("status").stdout


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


def test_the_lab_reaches_nothing_of_this_machine(running):
    lab = find(running.name)
    server = lab.cluster.servers[0]
    net = docker.from_env().networks.get(running.name)
    table = ["nft", "-s", "list", "table", "inet", "blackstart-border"]
    pods = json.loads(running.lab("kubectl", "-n", "grid", "get", "pods", "-o", "json").stdout)
    pod, node = next(
        (pod["metadata"]["name"], lab.node(pod["spec"]["nodeName"]))
        for pod in pods["items"]
        if pod["metadata"]["name"].startswith("pmu")
    )

    def reached_from_pod():
        words = border.attempts([target for target in wanted if target[0] != "icmp"])
        done = running.lab("kubectl", "-n", "grid", "exec", pod, "--", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    # The engine gives nodes no IPv6; whoever is root on one can.
    off = "net.ipv6.conf.eth0.disable_ipv6"
    server.run(["sysctl", "-qw", f"{off}=0"])
    time.sleep(3)  # until its address is known to be nobody else's
    with border.listeners(net.attrs["IPAM"]["Config"][0]["Gateway"]) as wanted:
        assert server.run(border.attempts(wanted)).stdout == ""
        assert reached_from_pod() == []
        # The same attempts succeed where the border alone is missing.
        rules = {node: node.run(table).stdout for node in (server, node)}
        try:
            for closed in rules:
                closed.run(["nft", "delete", "table", "inet", "blackstart-border"])
            everything = [f"{kind} {address}" for kind, address, _ in wanted]
            assert server.run(border.attempts(wanted)).stdout.splitlines() == everything
            assert reached_from_pod() == [
                line for line in everything if "%" not in line and "icmp" not in line
            ]
        finally:
            for closed, text in rules.items():
                closed.run(["nft", "-f", "-"], stdin=text)
            server.run(["sysctl", "-qw", f"{off}=1"])
        assert server.run(border.attempts(wanted)).stdout == ""
    # This machine still reaches the API, and the PDCs at their nodes' ports.
    assert running.lab("status").returncode == 0


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


def test_a_lab_that_was_off_comes_back_by_itself(running):
    before = clusters(running)
    done = running.lab("stop")
    assert done.returncode == 0, done.stderr
    status = json.loads(running.lab("status", "--json").stdout)
    assert {node["state"] for node in status["nodes"]} == {"stopped"}
    done = running.lab("start")
    assert done.returncode == 0, done.stderr
    assert "frames flow" in done.stdout
    assert clusters(running) == before
    _wait(lambda: running.lab("status").returncode == 0, 120)


def clusters(kit: Kit) -> set[str]:
    """Return the identity of the cluster that each server serves; one, if it is whole."""
    lab = find(kit.name)
    cores = [client.CoreV1Api(lab.cluster.api_of(server.name)) for server in lab.cluster.servers]
    return {core.read_namespace("kube-system", _request_timeout=5).metadata.uid for core in cores}


def remove_by_hand(kit: Kit, *nodes: str) -> None:
    for node in nodes:
        docker.from_env().containers.get(f"{kit.name}-{node}").remove(force=True)


def test_nodes_that_are_removed_come_back_into_the_same_cluster(running):
    before = clusters(running)
    remove_by_hand(running, "server-1", "worker-1")
    done = running.up()
    assert done.returncode == 0, done.stderr
    assert clusters(running) == before
    assert len(before) == 1
    members = [etcd.member(server) for server in find(running.name).cluster.servers]
    assert [(member.voting, member.has_leader) for member in members] == [(True, True)] * 3
    assert "changed=0" in running.up().stdout


def test_a_server_whose_disk_was_wiped_founds_no_second_cluster(running):
    before = clusters(running)
    node = find(running.name).node("server-1")
    node.run(["sh", "-c", "rm -rf /var/lib/etcd/data/member /var/lib/rancher/k3s/server/db"])
    docker.from_env().containers.get(f"{running.name}-server-1").restart(timeout=1)
    done = running.up()
    assert done.returncode == 0, done.stderr
    assert clusters(running) == before


def test_a_lost_majority_is_refused_and_restored(running):
    before = clusters(running)
    remove_by_hand(running, "server-1", "server-2")
    done = running.up()
    assert done.returncode == 1
    assert "lost the majority of its servers for good" in done.stderr
    assert "`lab restore` makes the cluster again from server-3's own data" in done.stderr
    names = {name for name in running.leftovers() if name.startswith(f"{running.name}-server")}
    assert not names & {f"{running.name}-server-1", f"{running.name}-server-2"}
    assert running.lab("restore").returncode == 0
    assert clusters(running) == before
    refused = running.lab("restore")
    assert refused.returncode == 1
    assert "there is nothing to restore" in refused.stderr


def test_a_cluster_without_any_server_is_restored_from_its_snapshot(running):
    before = clusters(running)
    remove_by_hand(running, "server-1", "server-2", "server-3")
    assert "makes the cluster again from the snapshot of" in running.up().stderr
    assert running.lab("restore").returncode == 0
    assert clusters(running) == before
    assert "changed=0" in running.up().stdout


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


def test_a_mysql_that_is_cut_off_has_ended_before_its_node_is_back(running):
    lab = find(running.name)
    node = lab.node(pods.by_app(pods.of(lab.cluster))["mysql"].node)
    ran = ["sh", "-c", "pgrep -x mysqld; true"]
    before = set(node.run(ran).stdout.split())
    assert before
    others = [other for other in lab.nodes if other != node]
    isolation = Isolate(node=node, others=others)
    with inject(isolation, lab_name=lab.name, journal=Unwritten(), limit_s=60):
        until(lambda: " ".join(before & set(node.run(ran).stdout.split())), limit_s=30)
    until(lambda: pods.missing(pods.of(lab.cluster)), limit_s=180)
    until(lambda: replicas.behind(lab.cluster.servers[0]), limit_s=120)


def test_nothing_lets_a_stranger_join(running):
    core = client.CoreV1Api(find(running.name).cluster.api())
    secrets = core.list_namespaced_secret("kube-system", _request_timeout=5).items
    kinds = {secret.type for secret in secrets}
    assert "bootstrap.kubernetes.io/token" not in kinds
    assert "kubeadm-certs" not in {secret.metadata.name for secret in secrets}


def test_down_leaves_nothing(running):
    volumes = running.volumes()
    assert len(volumes) == 4 * 5
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
