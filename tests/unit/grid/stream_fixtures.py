"""Senders and receivers for tests, on ports of their own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from grid import c37118
from grid.transport.server import StreamServer
from tests.ports import HOST

NOW = c37118.Stamp(soc=0, count=0, quality=c37118.TimeQuality(code=c37118.UNRELIABLE))
RATE = 50


def needs(host: str) -> None:
    """Skip a test of an address that this machine lacks, as one without IPv6."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        try:
            sock.bind((host, 0))
        except OSError as error:
            pytest.skip(f"this machine has no {host}: {error.strerror}")


def stretched(seconds: float) -> float:
    """Return a limit for an idle machine, stretched by how busy this one is."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def eventually(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    end = time.monotonic() + stretched(limit_s)
    while not condition():
        assert time.monotonic() < end, f"not within {limit_s} s"
        time.sleep(0.02)


async def soon(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    end = time.monotonic() + stretched(limit_s)
    while not condition():
        assert time.monotonic() < end, f"not within {limit_s} s"
        await asyncio.sleep(0.005)


class Process:
    """A command of this package in a process of its own."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ended = self.process.poll()
        if ended is None:
            self.process.kill()
        _, error = self.process.communicate()
        if kind is not None:
            state = "ran" if ended is None else f"had ended with code {ended}"
            print(f"{' '.join(self.process.args)} {state}, and had said:\n{error}")

    def terminate(self) -> tuple[int, float, str]:
        """Send SIGTERM; return exit code, seconds until the end, standard error."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=stretched(20))
        return self.process.returncode, time.monotonic() - start, error


def station(
    idcode: int,
    *,
    form: c37118.Format | None = None,
    phasors: Sequence[str] = ("VA", "IA"),
    nominal_hz: int = 50,
) -> c37118.Station:
    return c37118.Station(
        name=f"pmu-{idcode}",
        idcode=idcode,
        format=form or c37118.Format(),
        phasors=tuple(phasors),
        phasor_units=(c37118.PhasorUnit(kind=0, factor=c37118.unit_factor(1000)),) * len(phasors),
        fnom=1 if nominal_hz == 50 else 0,
    )


class Sender:
    """A stream whose frames the test sends one by one."""

    def __init__(self, idcode: int, stations: Sequence[c37118.Station], **fields: object) -> None:
        configuration = c37118.Configuration(
            idcode=idcode,
            stamp=NOW,
            time_base=1_000_000,
            stations=tuple(stations),
            data_rate=RATE,
        )
        self.server = StreamServer(idcode=idcode, answer=self._answer, name=f"sender {idcode}")
        self.configure(replace(configuration, **fields))
        self.mute = False

    def configure(self, configuration: c37118.Configuration) -> None:
        self.configuration = configuration
        self.codec = c37118.DataCodec(configuration)

    async def open(self, port: int = 0) -> int:
        await self.server.bind(HOST, port)
        await self.server.accept()
        return self.server.port

    @property
    def receivers(self) -> int:
        return sum(client.on for client in self.server.clients)

    def frame(self, slot: int, value: float = 1.0, stat: c37118.Stat | None = None) -> bytes:
        """Return the frame of slot/50 s whose phasors all have the real part `value`."""
        time_base = self.configuration.time_base
        stamp = c37118.Stamp.from_ns(
            slot * 1_000_000_000 // RATE, time_base, c37118.TimeQuality(code=4)
        )
        measured = [
            c37118.Measurement(
                stat=stat or c37118.Stat(),
                phasors=(complex(value, 0),) * len(station.phasors),
                frequency_hz=50.01,
                rocof_hz_s=0.0,
            )
            for station in self.configuration.stations
        ]
        pairs = zip(self.configuration.stations, measured, strict=True)
        return self.codec.encode(
            c37118.DataFrame(
                idcode=self.configuration.idcode,
                stamp=stamp,
                pmus=tuple(c37118.write(station, block) for station, block in pairs),
                version=self.configuration.version,
            )
        )

    def send(self, slot: int, value: float = 1.0, stat: c37118.Stat | None = None) -> None:
        self.server.publish(self.frame(slot, value, stat))

    def _answer(self, command: int) -> bytes | None:
        if command == c37118.Command.SEND_CFG2 and not self.mute:
            return self.configuration.encode()
        return None
