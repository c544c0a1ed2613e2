"""300 PMUs at 50 frames/s in one process, and one receiver of all of them in another."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from benchmarks.grid import receiving
from benchmarks.grid.figure import Figure, announce
from benchmarks.grid.receiving import HOST, Received

PMUS = 300
RATE = 50


_PEER = """
import collections, collections.abc, sys, time
collections.Sequence = collections.abc.Sequence
from synchrophasor.pmu import Pmu
port, rate = int(sys.argv[1]), int(sys.argv[2])
pmu = Pmu(pmu_id=1, data_rate=rate, port=port, ip="127.0.0.1")
pmu.logger.setLevel("ERROR")
pmu.set_configuration()
pmu.set_header()
pmu.run()
while True:
    pmu.send(pmu.ieee_data_sample)
    time.sleep(1 / rate)
"""


@dataclass(frozen=True, kw_only=True)
class PmuResult:
    """What a run measured."""

    received: Received
    """At the receiver."""
    cpu_share: float
    """CPU time of the simulator, as a share of one core."""
    memory_bytes: float
    """Resident memory of the simulator."""
    sent_late_s: tuple[float, float]
    """From a frame's stamp to when the kernel had it: quantiles 0.5 and 0.99 since the start."""


def run(seconds: float) -> list[Figure]:
    """Measure 300 PMUs for so many seconds, and then one for as long, and the peer's one.

    The peer has a process for each PMU and each client, so nothing is beside the 300.
    """
    announce(f"{PMUS} PMUs", seconds)
    many = measure(seconds)
    announce("one PMU", seconds)
    one = measure(seconds, pmus=1)
    announce("one PMU of pypmu", seconds)
    peer = _peer(seconds)
    wanted = PMUS * RATE
    late = many.received.late
    return [
        Figure(
            name=f"{PMUS} PMUs x {RATE}: received",
            value=many.received.frames / many.received.seconds,
            unit="frames/s",
            target=0.99 * wanted,
            limit="the schedule: that many are due",
        ),
        Figure(
            name="frames lost",
            value=many.received.lost,
            unit="frames",
            target=0,
            at_most=True,
        ),
        Figure(
            name="frames a second of its CPU time",
            value=many.received.frames / many.received.seconds / many.cpu_share,
            unit="frames/s",
            target=wanted,
            limit="half of it the signals and their bytes, half the kernel's sending",
        ),
        Figure(name="its memory", value=many.memory_bytes / 1e6, unit="MB"),
        Figure(name="stamp to receiver, median", value=1e3 * late.quantile(0.5), unit="ms"),
        Figure(
            name="stamp to receiver, p99",
            value=1e3 * late.quantile(0.99),
            unit="ms",
            limit="the last of 300 waits for the others; and the receiver's own time",
        ),
        Figure(
            name=f"1 PMU x {RATE}: received",
            value=one.received.frames / one.received.seconds,
            unit="frames/s",
            peer=None if peer is None else peer.frames / peer.seconds,
        ),
        Figure(
            name="1 PMU: stamp to receiver, median",
            value=1e3 * one.received.late.quantile(0.5),
            unit="ms",
            peer=None if peer is None else 1e3 * peer.late.quantile(0.5),
        ),
        Figure(
            name="1 PMU: stamp to kernel, median",
            value=1e3 * one.sent_late_s[0],
            unit="ms",
            target=1,
            at_most=True,
        ),
        Figure(
            name="1 PMU: stamp to kernel, p99",
            value=1e3 * one.sent_late_s[1],
            unit="ms",
            target=1,
            at_most=True,
            limit="other processes of the machine: the target is for an idle core",
        ),
    ]


def measure(seconds: float, pmus: int = PMUS, rate: int = RATE) -> PmuResult:
    """Run the simulator for so many seconds and return what was measured."""
    first, monitor = receiving.free_ports(pmus)
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "many.yml"
        scenario.write_text(
            f"pmus: [{{name: pmu, idcode: 1, count: {pmus}, rate: {rate}, "
            f"addresses: ['tcp://{HOST}:{first}']}}]\n"
        )
        command = [sys.executable, "-m", "grid.pmu", "serve", "--scenario", str(scenario)]
        simulator = subprocess.Popen(
            [*command, "--listen", HOST, "--metrics-port", str(monitor)],
            stderr=subprocess.DEVNULL,
        )
        return _watched(simulator, seconds, pmus, rate, first, monitor)


def _watched(
    simulator: "subprocess.Popen[bytes]",
    seconds: float,
    pmus: int,
    rate: int,
    first: int,
    monitor: int,
) -> PmuResult:
    try:
        _wait_ready(monitor)
        numbers: list[dict[str, float]] = []
        received = receiving.received(
            first, pmus, rate, seconds, lambda: numbers.append(receiving.scrape(monitor))
        )
    finally:
        simulator.terminate()
        simulator.wait()
    before, after = numbers
    cpu = "process_cpu_seconds_total"
    late = "pmu_frame_lateness_seconds{quantile="
    return PmuResult(
        received=received,
        cpu_share=(after[cpu] - before[cpu]) / received.seconds,
        memory_bytes=after["process_resident_memory_bytes"],
        sent_late_s=(after[f'{late}"0.5"}}'], after[f'{late}"0.99"}}']),
    )


def _peer(seconds: float) -> Received | None:
    """Let pypmu simulate one PMU at 50 frames/s; None where it isn't installed."""
    if importlib.util.find_spec("synchrophasor") is None:
        return None
    port, _ = receiving.free_ports(1)
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _PEER, str(port), str(RATE)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as peer:
        try:
            _wait_port(port)
            return receiving.received(port, 1, RATE, seconds, lambda: None)
        except TimeoutError:
            return None
        finally:
            # It has a process for each client, which would go on otherwise.
            os.killpg(peer.pid, signal.SIGKILL)


def _wait_port(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as sock:
            if sock.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the peer did not listen within 10 s")


def _wait_ready(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the simulator was not ready within 60 s")
