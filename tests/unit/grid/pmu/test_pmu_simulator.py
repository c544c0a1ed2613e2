"""Simulators that serve: transports, many PMUs, metrics, processes that agree."""

import asyncio
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import stream_fixtures as streams
from prometheus_client.parser import text_string_to_metric_families

from grid import c37118
from grid.pmu import metrics
from grid.pmu.scenario import document
from grid.pmu.simulator import Simulator
from grid.transport.address import Address
from grid.transport.receiver import Receiver
from tests.ports import free_port


def simulator(text: str) -> Simulator:
    return Simulator(document.loads(text, folder=Path()))


class Watch:
    """A receiver that keeps what comes."""

    def __init__(self, address: str, idcode: int) -> None:
        self.frames: list[bytes] = []
        self.configurations: list[c37118.Configuration] = []
        self.receiver = Receiver(
            Address.parse(address),
            idcode,
            name=f"watch {idcode}",
            silence_s=10,
            on_configuration=self.configurations.append,
            on_frame=lambda _codec, frame: self.frames.append(frame),
            on_lost=lambda: None,
        )
        self.task = asyncio.ensure_future(self.receiver.run())

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def stamps(frames: list[bytes]) -> list[int]:
    return [int.from_bytes(frame[6:10], "big") * 50
            + round(int.from_bytes(frame[11:14], "big") / 20_000) for frame in frames]  # fmt: skip


@pytest.mark.parametrize(
    ("served", "wanted"),
    [
        ("tcp://127.0.0.1:{0}", "tcp://127.0.0.1:{0}"),
        ("udp://127.0.0.1:{0}", "udp://127.0.0.1:{0}"),
        ("tcp+udp://127.0.0.1:{0}?data={1}", "tcp+udp://127.0.0.1:{0}?data={1}"),
        ("udp-spontaneous://127.0.0.1:{1}", "udp-spontaneous://127.0.0.1:{1}"),
    ],
)
async def test_a_scenario_is_served_by_every_transport(served, wanted):
    ports = free_port(), free_port()
    running = simulator(f"pmus: [{{name: a, idcode: 7, addresses: ['{served.format(*ports)}']}}]")
    watch = Watch(wanted.format(*ports), 7)
    # The receiver of a spontaneous stream has to be there before its first configuration.
    await asyncio.sleep(0.2)
    await running.open()
    await streams.soon(lambda: len(watch.frames) >= 25)
    await watch.close()
    await running.close()
    slots = stamps(watch.frames)
    assert slots == [*range(slots[0], slots[0] + len(slots))]
    assert watch.configurations[0].stations[0].name == "a"


async def test_several_transports_at_once_carry_the_same_frames():
    ports = free_port(), free_port()
    addresses = f"['tcp://127.0.0.1:{ports[0]}', 'udp://127.0.0.1:{ports[1]}']"
    running = simulator(f"pmus: [{{name: a, idcode: 7, addresses: {addresses}}}]")
    await running.open()
    watches = [Watch(f"tcp://127.0.0.1:{ports[0]}", 7), Watch(f"udp://127.0.0.1:{ports[1]}", 7)]
    await streams.soon(lambda: all(len(watch.frames) >= 25 for watch in watches))
    for watch in watches:
        await watch.close()
    await running.close()
    seen = [dict(zip(stamps(watch.frames), watch.frames, strict=True)) for watch in watches]
    both = seen[0].keys() & seen[1].keys()
    assert len(both) >= 10
    assert all(seen[0][slot] == seen[1][slot] for slot in both)


async def test_many_pmus_of_several_rates_send_at_their_own_times():
    first = free_port()
    running = simulator(f"""
        pmus:
          - {{name: fast, idcode: 1, rate: 50, addresses: ["tcp://127.0.0.1:{first}"]}}
          - {{name: slow, idcode: 2, rate: 10, addresses: ["tcp://127.0.0.1:0"]}}
          - {{name: odd, idcode: 3, rate: 30, count: 3, addresses: ["tcp://127.0.0.1:0"]}}
        """)
    await running.open()
    assert len(running.groups) == 3
    watches = [
        Watch(f"tcp://127.0.0.1:{publisher.server.port}", publisher.stream.idcode)
        for publisher in running.publishers
    ]
    await streams.soon(lambda: all(len(watch.frames) >= 8 for watch in watches))
    for watch, publisher in zip(watches, running.publishers, strict=True):
        await watch.close()
        codec = c37118.DataCodec(watch.configurations[0])
        rate = watch.configurations[0].data_rate
        slots = []
        for frame in watch.frames:
            stamp = codec.decode(frame).stamp
            slots.append(stamp.soc * rate + round(stamp.fraction(1_000_000) * rate))
            assert stamp.count == round(slots[-1] % rate * 1_000_000 / rate)
        assert slots == [*range(slots[0], slots[0] + len(slots))]
        assert publisher.stream.idcode == codec.decode(watch.frames[0]).idcode
    await running.close()


@pytest.mark.parametrize("version", [2005, 2011])
async def test_a_receiver_follows_a_change_that_keeps_the_frames_size(version, monkeypatch):
    monkeypatch.setattr("grid.pmu.scenario.pmu_faults.CHANGE_FLAG_S", 1.5)
    running = simulator(f"""
        pmus: [{{name: a, idcode: 7, version: {version}, addresses: ["tcp://127.0.0.1:0"]}}]
        events:
          - {{kind: configuration-change, phasors: [IC, IB, IA, VC, VB, VA], duration_s: 60,
             start: {{process_s: 2.5}}}}
        """)
    await running.open()
    watch = Watch(f"tcp://127.0.0.1:{running.publishers[0].server.port}", 7)
    await streams.soon(
        lambda: watch.configurations and watch.configurations[-1].stations[0].phasors[0] == "IC"
    )
    await watch.close()
    await running.close()
    assert watch.configurations[0].stations[0].phasors[0] == "VA"
    assert watch.configurations[-1].stations[0].change_count == 1


async def test_numbers_health_and_readiness_are_served():
    running = simulator("pmus: [{name: a, idcode: 7, addresses: ['tcp://127.0.0.1:0']}]")
    monitor = metrics.metrics_server(running)
    await monitor.start("127.0.0.1", 0)

    def get(path: str) -> tuple[int, str]:
        try:
            url = f"http://127.0.0.1:{monitor.port}{path}"
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    assert await asyncio.to_thread(get, "/readyz") == (
        503, "the addresses are not listened on yet\n",
    )  # fmt: skip
    await running.open()
    watch = Watch(f"tcp://127.0.0.1:{running.publishers[0].server.port}", 7)
    await streams.soon(lambda: len(watch.frames) >= 10)
    for path in ("/readyz", "/healthz"):
        assert await asyncio.to_thread(get, path) == (200, "ok\n")
    _, text = await asyncio.to_thread(get, "/metrics")
    samples = {
        (sample.name, sample.labels.get("pmu") or sample.labels.get("rate")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["pmu_frames_sent_total", "a"] >= 10
    assert samples["pmu_clients", "a"] == samples["pmu_receivers", "a"] == 1
    assert samples["pmu_slots_skipped_total", "50"] == 0
    assert samples["pmu_frame_lateness_seconds_count", None] >= 10
    # A pacer whose frames stay away is a process that should be restarted.
    running.groups[0].pacer.stop()
    monkey = time.time_ns
    try:
        time.time_ns = lambda: monkey() + 10_000_000_000
        status, text = await asyncio.to_thread(get, "/healthz")
    finally:
        time.time_ns = monkey
    assert status == 503
    assert text.startswith("frames of 50 a second are overdue by")
    await watch.close()
    await running.close()
    await monitor.close()


async def test_without_receivers_nothing_is_computed(monkeypatch):
    running = simulator("pmus: [{name: a, idcode: 7, addresses: ['tcp://127.0.0.1:0']}]")
    await running.open()
    computed = []
    monkeypatch.setattr(running.publishers[0].stream, "frame", computed.append)
    await asyncio.sleep(0.1)
    await running.close()
    assert not computed


def test_processes_of_one_scenario_agree_without_talking():
    """Two PMUs of the demo, each in a process of its own, and the truth."""
    ports = [free_port() for _ in range(2)]
    names = ["pmu-1", "pmu-3"]
    commands = [
        ["serve", "--scenario", "two-area", "--pmu", name, "--port", str(port)]
        for name, port in zip(names, ports, strict=True)
    ]
    with (
        streams.Process("grid.pmu", *commands[0]) as one,
        streams.Process("grid.pmu", *commands[1]) as other,
    ):
        seen = asyncio.run(_frames(ports))
        assert one.terminate()[0] == other.terminate()[0] == 0
    truth = {
        publisher.stream.name: publisher.stream
        for publisher in Simulator(document.load("two-area")).publishers
    }
    for name, (configuration, frames) in zip(names, seen, strict=True):
        assert configuration.stations[0].name == name
        for slot, frame in zip(stamps(frames), frames, strict=True):
            assert frame == truth[name].frame(slot)


def test_many_pmus_need_more_files_than_a_shell_allows(tmp_path: Path):
    """Forty PMUs on IPv4 and IPv6 are more than the soft limit of 64; the hard one allows it."""
    scenario = tmp_path / "many.yml"
    scenario.write_text("pmus: [{name: p, idcode: 1, count: 40, addresses: ['tcp://:0']}]")
    command = f"ulimit -Sn 64; exec {sys.executable} -m grid.pmu serve --scenario {scenario}"
    process = subprocess.Popen(["sh", "-c", command], stderr=subprocess.PIPE, text=True)
    lines = [process.stderr.readline() for _ in range(40)]
    process.terminate()
    process.communicate(timeout=streams.stretched(20))
    assert process.returncode == 0
    assert all("50 frames/s" in line for line in lines), lines


async def _frames(ports: list[int]) -> list[tuple[c37118.Configuration, list[bytes]]]:
    def listening(port: int) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    await streams.soon(lambda: all(map(listening, ports)))
    watches = [
        Watch(f"tcp://127.0.0.1:{port}", idcode) for port, idcode in zip(ports, (1, 3), strict=True)
    ]
    await streams.soon(lambda: all(len(watch.frames) >= 25 for watch in watches))
    for watch in watches:
        await watch.close()
    return [(watch.configurations[0], watch.frames) for watch in watches]
