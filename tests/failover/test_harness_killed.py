"""The harness itself dies while a fault is in force: the node must heal without it."""

import subprocess
import sys
import textwrap
import time

import pytest

from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.faults import heal

HEAL_AFTER_S = 12
"""Seconds from the timer's start, before the fault is in force, to its end."""
SLACK_S = 5
"""How much later a loaded machine may heal."""

HARNESS = """
import sys, time
from lab.faults.fault import inject
from lab.faults.isolate import Isolate
from lab.cluster.find import find

class Silent:
    starting = stopping = healed = lambda self, fault: None
    in_force = lambda self, fault, t_ns: None

name, limit_s = sys.argv[1], float(sys.argv[2])
lab = find(name)
worker = next(node for node in lab.nodes if node.role == "worker")
fault = Isolate(node=worker, others=[node for node in lab.nodes if node != worker])
with inject(fault, lab_name=name, journal=Silent(), limit_s=limit_s):
    print("in force", flush=True)
    time.sleep(600)
"""


@pytest.mark.failover
def test_harness_killed(measured: MeasuredLab, steady: SteadyState) -> None:
    steady.wait("before the harness is killed")
    worker = next(node for node in measured.lab.nodes if node.role == "worker")
    argv = [sys.executable, "-c", textwrap.dedent(HARNESS), measured.lab.name, str(HEAL_AFTER_S)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "in force\n"
        in_force = time.monotonic()
        harness.kill()
    left = heal.remains(worker)
    assert left == ("iptables", "ip6tables", "timer")
    while left and time.monotonic() < in_force + HEAL_AFTER_S + SLACK_S:
        time.sleep(0.5)
        left = heal.remains(worker)
    elapsed = time.monotonic() - in_force
    assert left == (), f"{worker.name} was still cut off {elapsed:.0f} s after its harness died"
    steady.wait("after the node healed itself")
