"""Receiving many streams, in a process of its own, without decoding them."""

import asyncio
import multiprocessing
import socket
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from grid.c37118 import Command, CommandFrame
from service.latency import Latencies

HOST = "127.0.0.1"
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


def received(
    first: int, pmus: int, rate: int, seconds: float, look: Callable[[], None]
) -> Received:
    """Receive streams of IDCODEs 1, 2, ... on ports `first`, ... for so many seconds.

    `look` is called when they begin and when they end.
    """
    here, there = multiprocessing.Pipe()
    receiver = multiprocessing.get_context("spawn").Process(
        target=_receive, args=(there, first, pmus, rate)
    )
    receiver.start()
    try:
        here.recv()  # All are connected.
        time.sleep(_WARM_UP_S)
        here.send("begin")
        look()
        time.sleep(seconds)
        look()
        here.send("end")
        seen: Received = here.recv()
    finally:
        receiver.terminate()
        receiver.join()
    return seen


def free_ports(count: int) -> tuple[int, int]:
    """Return the first of `count` ports in a row, below the ephemeral ones, and one more."""
    for first in range(10_000, 30_000, count + 1):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind((HOST, first))
                other.bind((HOST, first + count))
            except OSError:
                continue
            return first, first + count
    raise OSError(f"no {count + 1} free ports in a row between 10000 and 30000")


def scrape(port: int) -> dict[str, float]:
    """Return the samples of /metrics, by name and labels as they stand there."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


class _Stream(asyncio.Protocol):
    """One PMU's stream at the receiver; frames are cut by their size word, and not decoded."""

    def __init__(self, idcode: int, watch: "_Watch") -> None:
        self._idcode = idcode
        self._watch = watch
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP always gives one
        transport.write(CommandFrame.now(Command.DATA_ON, idcode=self._idcode).encode())

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
                HOST,
                first + number,
            )
        pipe.send("connected")
        await loop.run_in_executor(None, pipe.recv)
        watch.on, begun = True, time.monotonic()
        await loop.run_in_executor(None, pipe.recv)
        watch.on, seconds = False, time.monotonic() - begun
        pipe.send(Received(frames=watch.frames, seconds=seconds, lost=watch.lost, late=watch.late))

    asyncio.run(run())
