"""The simulator as its clients see it: a process that serves TCP."""

import itertools
import socket
import statistics
import sys
import threading
import time
from pathlib import Path

import pytest
import stream_fixtures as streams
import tshark_judge

from grid import c37118
from grid.c37118 import Command
from grid.pmu import cli
from grid.pmu.scenario import document, ipdc
from grid.pmu.scenario.model import PHASORS, Scenario, SimulatedPmu
from grid.pmu.scenario.pmu_channels import PmuChannels
from grid.pmu.scenario.scenario_signals import ScenarioSignals
from grid.transport import client
from tests.ports import free_port

DATA = Path(__file__).parents[3] / "data" / "synchrophasor"


@pytest.fixture(scope="module")
def pmu():
    port = free_port()
    with streams.Process("grid.pmu", "serve", "--idcode", "7", "--port", str(port)) as process:
        streams.eventually(lambda: reachable(port))
        yield port
    assert process.process.returncode is not None


def reachable(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((streams.HOST, port)) == 0


def command(what: int, idcode: int = 7) -> bytes:
    return c37118.CommandFrame.now(what, idcode=idcode).encode()


def take(sock: socket.socket, seconds: float) -> bytes:
    got, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            received = sock.recv(4096)
        except TimeoutError:
            break
        assert received, "closed"
        got += received
    return got


def test_frames_follow_the_wall_clock(pmu):
    frames = []
    late = []
    for event in client.receive(streams.HOST, pmu, idcode=7, silence_s=30):
        if isinstance(event, client.Frame):
            frames.append(event)
            late.append(time.time() - event.data.stamp.soc - event.fraction)
        if len(frames) == 120:
            break
    slots = [round(50 * (frame.data.stamp.soc + frame.fraction)) for frame in frames]
    assert slots == [*range(slots[0], slots[0] + 120)]
    for frame in frames:
        assert frame.fraction == pytest.approx(round(frame.fraction * 50) / 50, abs=1e-9)
    # Never before its time; and on a busy test machine mostly within a few milliseconds.
    assert min(late) >= 0
    assert statistics.median(late) < streams.stretched(0.02)


def test_frames_claim_no_locked_clock(pmu):
    for event in client.receive(streams.HOST, pmu, idcode=7, silence_s=30):
        if isinstance(event, client.Frame):
            assert event.data.stamp.quality.code == c37118.UNRELIABLE
            assert not event.data.pmus[0].stat.synchronized
            assert event.data.pmus[0].stat.time_quality == c37118.QUALITY_UNKNOWN
            assert event.data.pmus[0].stat.data_error is c37118.DataError.GOOD
            break


def test_every_command_is_answered_and_tshark_finds_no_fault(pmu, tmp_path: Path):
    segments = []
    with socket.create_connection((streams.HOST, pmu)) as sock:
        for what in (Command.SEND_HEADER, Command.SEND_CFG1, Command.SEND_CFG2, Command.DATA_ON):
            sock.sendall(command(what))
            segments += [(False, command(what)), (True, take(sock, 0.5))]
        sock.sendall(command(Command.DATA_OFF))
        segments += [(False, command(Command.DATA_OFF)), (True, take(sock, 0.3))]
        assert take(sock, 0.3) == b""
    segments = [(server, payload) for server, payload in segments if payload]
    reader = c37118.Reassembler()
    sent = [frame for server, payload in segments if server for frame in reader.feed(payload)]
    kinds = [c37118.frame_type(frame).name for frame in sent]
    assert kinds[:3] == ["HEADER", "CFG1", "CFG2"]
    assert set(kinds[3:]) == {"DATA"}
    assert len(kinds[3:]) >= 10
    verdict = tshark_judge.judge(tmp_path / "pmu.pcap", segments)
    verdict.assert_flawless(len(sent) + 5)


def test_several_clients_are_served_and_one_that_never_reads_is_dropped():
    """At 1000 frames/s the buffers of a client that never reads are full within seconds."""
    port = free_port()
    arguments = ["serve", "--idcode", "7", "--rate", "1000", "--port", str(port)]
    with streams.Process("grid.pmu", *arguments) as process:
        streams.eventually(lambda: reachable(port))
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((streams.HOST, port))
        deaf.sendall(command(Command.DATA_ON))
        counts = [0, 0]
        stop = threading.Event()

        def listen(index: int) -> None:
            for event in client.receive(streams.HOST, port, idcode=7, silence_s=30, stop=stop):
                counts[index] += isinstance(event, client.Frame)

        threads = [threading.Thread(target=listen, args=(index,)) for index in (0, 1)]
        for thread in threads:
            thread.start()
        deaf.settimeout(0.1)
        time.sleep(min(30.0, streams.stretched(6)))
        stop.set()
        for thread in threads:
            thread.join()
        code, _, log = process.terminate()
        deaf.close()
    assert code == 0
    assert log.count("it does not read what it asked for") == 1
    assert all(count > 1000 for count in counts)


def test_commands_for_another_idcode_and_garbage_are_ignored_and_said_once():
    port = free_port()
    with streams.Process("grid.pmu", "serve", "--idcode", "7", "--port", str(port)) as process:
        streams.eventually(lambda: reachable(port))
        with socket.create_connection((streams.HOST, port)) as sock:
            for _ in range(3):
                sock.sendall(command(Command.SEND_CFG2, idcode=8) + b"\xaa\x00garbage")
            assert take(sock, 0.3) == b""
            sock.sendall(command(Command.SEND_CFG2))
            assert c37118.Configuration.decode(take(sock, 0.5)).idcode == 7
        # A probe that connects and says nothing.
        socket.create_connection((streams.HOST, port)).close()
        time.sleep(0.2)
        code, _, log = process.terminate()
    assert code == 0
    assert log.count("IDCODE 8") == 1
    assert log.count("no C37.118 frame") == 1
    lines = log.strip().splitlines()
    assert len(lines) == 5, log


def test_sigterm_ends_it_within_a_second_with_clients_connected():
    port = free_port()
    with streams.Process("grid.pmu", "serve", "--idcode", "7", "--port", str(port)) as process:
        streams.eventually(lambda: reachable(port))
        with socket.create_connection((streams.HOST, port)) as sock:
            sock.sendall(command(Command.DATA_ON))
            take(sock, 0.2)
            code, seconds, _ = process.terminate()
    assert code == 0
    assert seconds < streams.stretched(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--idcode", "0"], "0 is not within 1..65534"),
        (["--idcode", "1", "--rate", "0"], "neither 1..1000"),
        (["--idcode", "1", "--name", "a name of more than 16"], "longer than 16 characters"),
        ([], "one of --idcode, --scenario, --ipdc and --capture is needed"),
        (["--scenario", "events", "--rate", "5"], "--rate is for a single PMU"),
        (["--scenario", "events", "--port", "5"], "are for one PMU, and there are 2"),
        (["--scenario", "events", "--pmu", "west"], "west is none of north, south"),
        (["--scenario", "events", "--ipdc", "pmu.bin"], "exclude each other"),
        (
            ["--scenario", "nowhere.yml"],
            "cannot read nowhere.yml: No such file or directory; shipped are",
        ),
        (["--ipdc", __file__], "the first two lines are not a UDP and a TCP port"),
        (["--idcode", "1", "--address", "ftp://x"], "is no address of a stream"),
    ],
)
def test_bad_options_are_one_clear_sentence(arguments, message):
    with streams.Process("grid.pmu", "serve", *arguments) as process:
        _, error = process.process.communicate(timeout=streams.stretched(20))
    assert process.process.returncode != 0
    assert message in error
    assert "Traceback" not in error


def test_a_set_up_of_ipdcs_simulator_is_written_and_read_again(tmp_path, capsys):
    path = tmp_path / "pmu.bin"
    cli.main(["setup", "--scenario", "two-area", "--pmu", "pmu-2", "--port", "5002", str(path)])
    assert ipdc.read(path).tcp_port == 5002
    cli.main(["setup", "--idcode", "7", "--rate", "25", str(path)])
    assert ipdc.read(path).configuration.data_rate == 25
    for arguments, message in (
        (["--idcode", "7", "--rate", "-5"], "iPDC's simulator can't take the place of pmu-7"),
        (["--idcode", "7"], "cannot write"),
    ):
        with pytest.raises(SystemExit, match=message):
            cli.main(["setup", *arguments, str(tmp_path / "nowhere" / "pmu.bin")])
    with pytest.raises(SystemExit):
        cli.main(["setup", "--scenario", "two-area", str(path)])
    assert "there are 3" in capsys.readouterr().err


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = ["--idcode", "1", "--listen", "127.0.0.1", "--port", port]
        with streams.Process("grid.pmu", "serve", *options) as process:
            _, error = process.process.communicate(timeout=streams.stretched(20))
    assert process.process.returncode == 1
    assert f"cannot listen on port {port} of 127.0.0.1" in error
    assert "Traceback" not in error


def test_all_formats_carry_the_same_signal():
    for form, coordinates in itertools.product(("float", "int"), ("rectangular", "polar")):
        port = free_port()
        options = ["--idcode", "7", "--port", str(port), "--format", form]
        with streams.Process("grid.pmu", "serve", *options, "--coordinates", coordinates):
            streams.eventually(lambda port=port: reachable(port))
            station = None
            for event in client.receive(streams.HOST, port, idcode=7, silence_s=30):
                if isinstance(event, client.Configured):
                    (station,) = event.configuration.stations
                if isinstance(event, client.Frame):
                    seen = c37118.read(station, event.data.pmus[0])
                    break
        pmu = SimulatedPmu(channels=PmuChannels(station=station, phasors=PHASORS))
        ns = event.data.stamp.ns(1_000_000)
        sources = ScenarioSignals(Scenario(pmus=()))
        truth = sources.of(pmu).at(ns)
        for got, want in zip(seen.phasors, truth.phasors, strict=True):
            assert abs(got - want) < 1e-3 * abs(want)
        assert seen.frequency_hz == pytest.approx(50 + truth.deviation_hz, abs=6e-4)


def test_without_andes_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "andes", None)
    with pytest.raises(SystemExit, match=r"pip install blackstart\[andes\]"):
        cli.main(["signals", str(tmp_path / "out.csv")])


def test_shipped_scenarios_are_listed_with_what_they_are(capsys):
    cli.main(["scenarios"])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == document.shipped()
    assert all(len(line.split()) > 3 for line in listed)


@pytest.mark.parametrize(
    ("arguments", "idcode"),
    [
        (["--scenario", "two-area", "--pmu", "pmu-2"], 2),
        (["--ipdc", str(DATA / "vectors" / "fluidos-pmu-3.bin")], 3),
        (["--capture", str(DATA / "captures" / "C37.118_1PMU_TCP.pcap")], 241),
    ],
)
def test_what_is_simulated_can_come_from_files(arguments, idcode):
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with streams.Process("grid.pmu", "serve", *arguments, "--address", address):
        streams.eventually(lambda: reachable(port))
        frames = []
        for event in client.receive(streams.HOST, port, idcode=idcode, silence_s=30):
            if isinstance(event, client.Frame):
                frames.append(event)
                if len(frames) == 5:
                    break
    assert abs(frames[0].data.stamp.soc - time.time()) < streams.stretched(10)
