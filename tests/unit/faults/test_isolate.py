"""The isolation in real network namespaces, with real packet filters."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from lab.console.errors import LabError
from lab.faults import chain, healing, reachability, timer
from lab.faults.isolate import Isolate
from lab.host.command import CommandError

from .switchboard import NamespaceNode

Nodes = dict[str, NamespaceNode]


@pytest.fixture
def isolate(nodes: Nodes) -> Iterator[Isolate]:
    made = Isolate(node=nodes["worker"], others=(nodes["server-1"], nodes["server-2"]))
    yield made
    if made.guard:
        made.guard.release()


def filters(node: NamespaceNode) -> str:
    """Return all rules of the node but the packet counters."""
    four, six = (node.run([program]).stdout for program in ("iptables-save", "ip6tables-save"))
    lines = (four + six).splitlines()
    return "\n".join(line.partition(" [")[0] for line in lines if not line.startswith("#"))


def own_rules(node: NamespaceNode) -> None:
    """Give the node rules such as kube-proxy has, which no fault may touch."""
    for rule in ("-N KUBE-SERVICES", "-I INPUT -j KUBE-SERVICES", "-A FORWARD -i cni0 -j ACCEPT"):
        node.run(["iptables", *rule.split()])
    node.run(["ip6tables", "-N", "KUBE-SERVICES"])


def test_nothing_passes_but_ssh_from_the_control_machine(nodes: Nodes, isolate: Isolate) -> None:
    worker, server, control = nodes["worker"], nodes["server-1"], nodes["control"]
    isolate.prepare(60)
    isolate.start()
    isolate.verify()
    home = [f"{worker.address}:22", f"{worker.address}:10250", "fd98::11:22", "fd98::11:10250"]
    assert reachability.reached(control, home) == {f"{worker.address}:22"}
    assert reachability.reached(server, home) == frozenset()
    away = [f"{server.address}:6443", f"{control.address}:80", "fd98::12:6443", "fd98::14:80"]
    assert reachability.reached(worker, away) == frozenset()
    assert reachability.reached(worker, ["127.0.0.1:10250", "::1:10250"]) == {
        "127.0.0.1:10250",
        "::1:10250",
    }


def test_the_probe_reaches_all_of_it_without_a_fault(nodes: Nodes) -> None:
    targets = ["fd98::11:10250", f"{nodes['worker'].address}:10250"]
    assert reachability.reached(nodes["server-1"], targets) == frozenset(targets)


def test_healing_leaves_all_other_rules_as_they_were(nodes: Nodes, isolate: Isolate) -> None:
    worker = nodes["worker"]
    own_rules(worker)
    before = filters(worker)
    isolate.prepare(60)
    isolate.start()
    assert filters(worker) != before
    isolate.stop()
    assert filters(worker) == before


def test_healing_says_what_it_found_and_finds_nothing_twice(nodes: Nodes, isolate: Isolate) -> None:
    isolate.prepare(60)
    isolate.start()
    all_nodes = [nodes["worker"], nodes["server-1"]]
    healed = healing.heal(all_nodes)
    assert [str(line) for line in healed] == ["worker: removed iptables, ip6tables, timer"]
    assert healing.heal(all_nodes) == ()


def test_the_timer_heals_when_nobody_else_does(nodes: Nodes, isolate: Isolate) -> None:
    worker = nodes["worker"]
    isolate.prepare(3)
    isolate.start()
    isolate.verify()
    deadline = time.monotonic() + 10
    while healing.remains(worker) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert reachability.reached(nodes["server-1"], [f"{worker.address}:10250"])
    with pytest.raises(LabError, match="had ended before it was healed"):
        isolate.stop()


HARNESS = """
import pickle, sys, time
isolate = pickle.loads(bytes.fromhex(sys.argv[1]))
isolate.prepare(600)
isolate.start()
isolate.verify()
print("in force", flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def harness(isolate: Isolate) -> Iterator["subprocess.Popen[str]"]:
    """Run a process of its own that has the fault in force."""
    argv = [sys.executable, "-c", HARNESS, pickle.dumps(isolate).hex()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "in force\n"
            yield process
        finally:
            process.kill()


def healed_after_s(node: NamespaceNode, limit_s: float) -> float:
    begin = time.monotonic()
    while healing.remains(node) and time.monotonic() < begin + limit_s:
        time.sleep(0.1)
    return time.monotonic() - begin


def test_the_node_heals_as_soon_as_its_harness_is_killed(nodes: Nodes, isolate: Isolate) -> None:
    with harness(isolate) as process:
        time.sleep(1)
        assert healing.remains(nodes["worker"]) == ("iptables", "ip6tables", "timer")
        process.kill()
        assert healed_after_s(nodes["worker"], 20) < 10
    assert reachability.reached(nodes["server-1"], [f"{nodes['worker'].address}:10250"])


def test_a_harness_that_hangs_heals_nothing_early(nodes: Nodes, isolate: Isolate) -> None:
    """A busy machine may stop it for a while in the midst of a measurement."""
    with harness(isolate) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        assert healing.remains(nodes["worker"]) == ("iptables", "ip6tables", "timer")


def test_a_guard_that_is_released_leaves_no_connection(nodes: Nodes, isolate: Isolate) -> None:
    isolate.prepare(60)
    isolate.start()
    isolate.stop()
    assert isolate.guard is not None
    assert isolate.guard._process.returncode == 0


def test_a_node_that_takes_no_guard_is_not_broken(
    nodes: Nodes, isolate: Isolate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timer, "_GUARD", "exit 1")
    with pytest.raises(LabError, match="did not answer when a fault was prepared"):
        isolate.prepare(60)
    assert healing.remains(nodes["worker"]) == ()


def test_a_fault_under_way_is_not_added_to(nodes: Nodes, isolate: Isolate) -> None:
    isolate.prepare(60)
    isolate.start()
    with pytest.raises(LabError, match="under way on worker") as caught:
        isolate.prepare(60)
    assert "lab heal" in caught.value.cure


def test_a_node_that_is_cut_off_already_is_refused(nodes: Nodes, isolate: Isolate) -> None:
    nodes["worker"].run(["ip", "link", "set", "eth0", "down"])
    with pytest.raises(LabError, match=r"cut off already.*server-1 > worker"):
        isolate.prepare(60)
    assert chain.CHAIN not in filters(nodes["worker"])


def test_an_isolation_that_lets_something_through_is_noticed(
    nodes: Nodes, isolate: Isolate
) -> None:
    isolate.prepare(60)
    isolate.start()
    nodes["worker"].run(["iptables", "-I", chain.CHAIN, "-p", "tcp", "-j", "RETURN"])
    with pytest.raises(LabError, match="not in force") as caught:
        isolate.verify()
    assert chain.CHAIN in caught.value.evidence


def test_the_rules_come_all_or_none(nodes: Nodes) -> None:
    """A rule that the kernel refuses leaves no half of an isolation behind."""
    worker = nodes["worker"]
    broken = chain.isolation(interface="eth0", peer="10.98.7.14").replace("-j DROP", "-j NONE", 1)
    with pytest.raises(CommandError):
        worker.run(["iptables-restore", "-w", "--noflush"], stdin=broken)
    assert chain.CHAIN not in filters(worker)


def test_an_exception_is_made_for_a_control_machine_of_the_sixth_version() -> None:
    script = chain.apply(interface="eth0", peer="fd98::14")
    six, four = script.split("\niptables-restore")
    assert "-s fd98::14" in six
    assert "fd98::14" not in four
