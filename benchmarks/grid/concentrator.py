"""How much one PDC process on one core aligns: 200 PMUs of 50 frames a second.

The load, the PDC and the consumer are three processes. The consumer counts frames and PMU
blocks; a frame's way through the PDC is measured from outside, from the moment when the
last stream's frame was handed to the kernel to the moment when the consumer has read the
PDC's frame, and from inside by the PDC's own metrics.
"""

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.grid.figure import Figure, announce
from benchmarks.grid.load import PHASORS
from benchmarks.grid.receiving import scrape
from grid.c37118 import DataCodec, DataError, ReceiverSession
from service import threads

PMUS = 200
RATE = 50
_WARM_UP_S = 5.0
_PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class PdcResult:
    """What came of one arrangement of inputs."""

    streams: int
    """Inputs, each with an equal part of the PMUs."""
    seconds: float
    """How long frames were counted."""
    frames: int
    """Frames that the consumer read."""
    lost_frames: int
    """Frames between the first and the last one that it did not read."""
    absent_blocks: int
    """PMU blocks without data in them."""
    p50_ms: float
    """Median time from the last stream's sending to the consumer's reading."""
    p99_ms: float
    """Its 99th percentile."""
    inner_p99_ms: float
    """99th percentile of the PDC's own latency, from last arrival to sending."""
    cpu_share: float
    """CPU time of the PDC's process, in parts of a core."""
    rss_mb: float
    """Its resident memory, in MB."""


def run(seconds: float) -> list[Figure]:
    """Measure 200 inputs of one PMU, and four PDCs of 50 PMUs, for so long each."""
    figures = []
    for streams in (PMUS, 4):
        announce(f"{streams} inputs of {PMUS // streams} PMUs", seconds)
        result = measure(streams, seconds)
        name = f"{streams} x {PMUS // streams} PMUs, {RATE}/s"
        figures += [
            Figure(name=f"{name}: frames", value=result.frames, unit="frames"),
            Figure(
                name=f"{name}: lost",
                value=result.lost_frames,
                unit="frames",
                target=0,
                at_most=True,
            ),
            Figure(
                name=f"{name}: absent blocks",
                value=result.absent_blocks,
                unit="blocks",
                target=0,
                at_most=True,
            ),
            Figure(
                name=f"{name}: last arrival to sent, p99",
                value=result.inner_p99_ms,
                unit="ms",
                target=5,
                at_most=True,
                limit="writing the frame to each client, one system call of 7 kB",
            ),
            Figure(
                name=f"{name}: last sent to read, p50",
                value=result.p50_ms,
                unit="ms",
            ),
            Figure(
                name=f"{name}: last sent to read, p99",
                value=result.p99_ms,
                unit="ms",
                limit="all inputs send at one moment; the last one waits until the others are read",
            ),
            Figure(
                name=f"{name}: CPU",
                value=result.cpu_share,
                unit="cores",
                target=1,
                at_most=True,
                limit="the event loop and the cutting of frames, for each input by itself",
            ),
            Figure(
                name=f"{name}: memory",
                value=result.rss_mb,
                unit="MB",
                target=150,
                at_most=True,
            ),
        ]
    return figures


def measure(streams: int, seconds: float) -> PdcResult:
    """Run 200 PMUs in `streams` inputs for a time."""
    pmus = PMUS // streams
    command = [sys.executable, "-m", "benchmarks.grid.load", str(streams), str(pmus), str(RATE)]
    with (
        tempfile.TemporaryDirectory() as directory,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load,
    ):
        assert load.stdout is not None  # noqa: S101 - it is a pipe
        assert load.stdin is not None  # noqa: S101
        ports = [int(port) for port in load.stdout.readline().split()]
        sent: dict[int, int] = {}
        stdout = load.stdout
        reader = threads.start(lambda: _collect(stdout, sent), "read the load")
        topology = Path(directory) / "topology.yml"
        topology.write_text(yaml.safe_dump(_topology(ports, pmus)))
        try:
            return _serve(topology, streams, seconds, sent)
        finally:
            load.stdin.close()
            load.wait()
            reader.join()


def _serve(topology: Path, streams: int, seconds: float, sent: dict[int, int]) -> PdcResult:
    command = [
        *(sys.executable, "-m", "grid.pdc", "serve", "--topology", str(topology)),
        *("--listen", "127.0.0.1", "--port", "0", "--poll", "0", "--metrics-port", "0"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as pdc:
        ports: dict[str, int] = {}
        assert pdc.stderr is not None  # noqa: S101 - it is a pipe
        stderr = pdc.stderr
        log = threads.start(lambda: _follow(stderr, ports), "read the PDC's log")
        try:
            _wait(lambda: len(ports) == 2)
            return _consume(ports["output"], ports["metrics"], streams, seconds, sent)
        finally:
            pdc.terminate()
            pdc.wait()
            log.join()


def _consume(
    port: int, metrics_port: int, streams: int, seconds: float, sent: dict[int, int]
) -> PdcResult:
    received: dict[int, int] = {}
    absent = 0
    begin_s = time.monotonic() + _WARM_UP_S
    before: dict[str, float] = {}
    for codec, frame in _frames(port):
        now_ns = time.monotonic_ns()
        if now_ns < begin_s * 1e9:
            continue
        before = before or scrape(metrics_port)
        soc, fracsec = int.from_bytes(frame[6:10], "big"), int.from_bytes(frame[10:14], "big")
        base = codec.configuration.time_base
        received[soc * RATE + round((fracsec & 0xFFFFFF) * RATE / base)] = now_ns
        absent += sum(word >> 14 != DataError.GOOD for word in codec.stat_words(frame))
        if now_ns >= (begin_s + seconds) * 1e9:
            break
    after = scrape(metrics_port)
    delays = sorted((at - sent[slot]) / 1e6 for slot, at in received.items() if slot in sent)
    cpu = "process_cpu_seconds_total"
    return PdcResult(
        streams=streams,
        seconds=seconds,
        frames=len(received),
        lost_frames=max(received) - min(received) + 1 - len(received),
        absent_blocks=absent,
        p50_ms=delays[len(delays) // 2],
        p99_ms=delays[len(delays) * 99 // 100],
        inner_p99_ms=after['pdc_output_latency_seconds{quantile="0.99"}'] * 1e3,
        cpu_share=(after[cpu] - before[cpu]) / seconds,
        rss_mb=after["process_resident_memory_bytes"] / 1e6,
    )


def _frames(port: int) -> Iterator[tuple[DataCodec, bytes]]:
    """Yield the PDC's data frames undecoded: the consumer is to cost little."""
    session = ReceiverSession(1)
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as sock:
        session.open()
        while True:
            for command in session.commands():
                sock.sendall(command)
            received = sock.recv(1 << 18)
            if not received:
                raise ConnectionError("the PDC closed its output")
            for event in session.feed(received):
                if isinstance(event, bytes) and session.codec is not None:
                    yield session.codec, event


def _topology(ports: list[int], pmus: int) -> dict[str, object]:
    def channels(idcode: int) -> dict[str, object]:
        return {"name": f"pmu-{idcode}", "idcode": idcode, "phasors": list(PHASORS)}

    return {
        "stream": {"name": "bench", "idcode": 1, "port": 4712, "rate": RATE, "lag_time_s": 2.0},
        "inputs": [
            {
                "name": f"stream-{index}",
                "host": "127.0.0.1",
                "port": port,
                "idcode": 1000 + index,
                "silence_s": 5.0,
                "pmus": [channels(1 + index * pmus + place) for place in range(pmus)],
            }
            for index, port in enumerate(ports)
        ],
    }


def _collect(lines: Iterable[str], sent: dict[int, int]) -> None:
    """Note when each slot's last frame was sent."""
    for line in lines:
        slot, at = line.split()
        sent[int(slot)] = int(at)


def _follow(lines: Iterable[str], ports: dict[str, int]) -> None:
    """Find the PDC's ports in its log, and pass on what it complains about."""
    for line in lines:
        for name, words in (("metrics", "served on"), ("output", "listening on")):
            if found := re.search(rf"{words} 127\.0\.0\.1:(\d+)", line):
                ports[name] = int(found[1])
        if " INFO " not in line:
            sys.stderr.write(line)


def _wait(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"the PDC did not open its output within {_PATIENCE_S:g} s")
        time.sleep(0.05)
