"""The harness itself dies while a fault is in force: the node must heal without it, and soon."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

from experiment.session import MeasuredLab
from experiment.workloads.steady_state import SteadyState
from lab.faults import healing

HEAL_AFTER_S = 12
"""Seconds from the timer's start, before the fault is in force, to its end."""
NOTICED_S = 1
"""Seconds until a node notices that its harness was killed."""
SLACK_S = 5
"""How much later a loaded machine may heal."""

HARNESS = """
import sys, time
from lab.faults.fault import inject
from lab.faults.isolate import Isolate
from lab.cluster.lab import find

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
@pytest.mark.parametrize(
    ("sent", "limit_s"),
    [
        pytest.param(signal.SIGKILL, NOTICED_S, id="killed"),
        # What this machine's power loss is to the node: no word of the harness any more.
        pytest.param(signal.SIGSTOP, HEAL_AFTER_S, id="stopped"),
    ],
)
def test_harness_killed(
    measured: MeasuredLab, steady: SteadyState, sent: signal.Signals, limit_s: float
) -> None:
    steady.wait("before the harness is killed")
    worker = next(node for node in measured.lab.nodes if node.role == "worker")
    argv = [sys.executable, "-c", textwrap.dedent(HARNESS), measured.lab.name, str(HEAL_AFTER_S)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as harness:
        try:
            assert harness.stdout is not None
            assert harness.stdout.readline() == "in force\n"
            assert healing.remains(worker) == ("iptables", "ip6tables", "timer")
            begin = time.monotonic()
            harness.send_signal(sent)
            while left := healing.remains(worker):
                if time.monotonic() > begin + limit_s + SLACK_S:
                    break
                time.sleep(0.5)
        finally:
            harness.kill()
    elapsed = time.monotonic() - begin
    assert left == (), f"{worker.name} was still cut off {elapsed:.0f} s after its harness died"
    steady.wait("after the node healed itself")
