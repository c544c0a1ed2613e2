"""300 PMUs at 50 frames/s in one process, and one receiver of all of them in another."""

import asyncio
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from grid.bench.figure import Figure
from grid.c37118 import UNRELIABLE, Command, CommandFrame, Stamp, TimeQuality
from grid.latency import Latencies

PMUS = 300
RATE = 50
_HOST = "127.0.0.1"
_TIME_BASE = 1_000_000
_WARM_UP_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Received:
    """What the receiver saw of all streams."""

    frames: int
    """Data frames."""
    seconds: float
    """How long they were counted."""
    lost: int
    """Reporting times between a stream's first and last frame without one."""
    late: Latencies
    """From each frame's stamp to when the receiver read it."""


@dataclass(frozen=True, kw_only=True)
class Result:
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
    """Measure 300 PMUs for so many seconds, and then one for as long.

    The peer has one process for each PMU and each of its clients, so nothing is beside these.
    """
    many, one = measure(seconds), measure(seconds, pmus=1)
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


def measure(seconds: float, pmus: int = PMUS, rate: int = RATE) -> Result:
    """Run the simulator for so many seconds and return what was measured."""
    first, monitor = _free_ports(pmus)
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "many.yml"
        scenario.write_text(
            f"pmus: [{{name: pmu, idcode: 1, count: {pmus}, rate: {rate}, "
            f"addresses: ['tcp://{_HOST}:{first}']}}]\n"
        )
        command = [sys.executable, "-m", "grid.pmu", "serve", "--scenario", str(scenario)]
        simulator = subprocess.Popen(
            [*command, "--listen", _HOST, "--metrics-port", str(monitor)],
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
) -> Result:
    here, there = multiprocessing.Pipe()
    receiver = multiprocessing.get_context("spawn").Process(
        target=_receive, args=(there, first, pmus, rate)
    )
    try:
        _wait_ready(monitor)
        receiver.start()
        here.recv()  # All are connected.
        time.sleep(_WARM_UP_S)
        here.send("begin")
        before, begun = _scrape(monitor), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - begun
        after = _scrape(monitor)
        here.send("end")
        received: Received = here.recv()
    finally:
        simulator.terminate()
        simulator.wait()
        if receiver.pid is not None:
            receiver.terminate()
            receiver.join()
    cpu = "process_cpu_seconds_total"
    late = "pmu_frame_lateness_seconds{quantile="
    return Result(
        received=received,
        cpu_share=(after[cpu] - before[cpu]) / took,
        memory_bytes=after["process_resident_memory_bytes"],
        sent_late_s=(after[f'{late}"0.5"}}'], after[f'{late}"0.99"}}']),
    )


class _Stream(asyncio.Protocol):
    """One PMU's stream at the receiver; frames are cut by their size word, and not decoded."""

    def __init__(self, idcode: int, watch: "_Watch") -> None:
        self._idcode = idcode
        self._watch = watch
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP always gives one
        now = Stamp.from_ns(time.time_ns(), _TIME_BASE, TimeQuality(code=UNRELIABLE))
        frame = CommandFrame(idcode=self._idcode, stamp=now, command=Command.DATA_ON)
        transport.write(frame.encode())

    def data_received(self, data: bytes) -> None:
        now = time.time()
        data = self._rest + data
        while len(data) >= 14 and len(data) >= (size := data[2] << 8 | data[3]):
            soc = int.from_bytes(data[6:10], "big")
            self._watch.saw(self._idcode, soc, int.from_bytes(data[11:14], "big"), now)
            data = data[size:]
        self._rest = data


class _Watch:
    """Counts the frames of all streams while it is on."""

    def __init__(self, rate: int) -> None:
        self.on = False
        self.frames = self.lost = 0
        self.late = Latencies()
        self._rate = rate
        self._last: dict[int, int] = {}

    def saw(self, idcode: int, soc: int, count: int, now: float) -> None:
        if not self.on:
            return
        fraction = count / _TIME_BASE
        self.late.add(now - soc - fraction)
        self.frames += 1
        slot = soc * self._rate + round(fraction * self._rate)
        last = self._last.get(idcode)
        if last is not None:
            self.lost += slot - last - 1
        self._last[idcode] = slot


def _receive(pipe: Connection, first: int, pmus: int, rate: int) -> None:
    """Connect to all streams, tell it, then count between the words begin and end."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        watch = _Watch(rate)
        for number in range(pmus):
            await loop.create_connection(
                lambda idcode=number + 1: _Stream(idcode, watch),  # type: ignore[misc]
                _HOST,
                first + number,
            )
        pipe.send("connected")
        await loop.run_in_executor(None, pipe.recv)
        watch.on, begun = True, time.monotonic()
        await loop.run_in_executor(None, pipe.recv)
        watch.on, seconds = False, time.monotonic() - begun
        pipe.send(Received(frames=watch.frames, seconds=seconds, lost=watch.lost, late=watch.late))

    asyncio.run(run())


def _free_ports(count: int) -> tuple[int, int]:
    """Return the first of `count` ports in a row, below the ephemeral ones, and one more."""
    for first in range(10_000, 30_000, count + 1):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind((_HOST, first))
                other.bind((_HOST, first + count))
            except OSError:
                continue
            return first, first + count
    raise OSError(f"no {count + 1} free ports in a row between 10000 and 30000")


def _wait_ready(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://{_HOST}:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the simulator was not ready within 60 s")


def _scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{_HOST}:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}
