"""The command `c37118`, as a process: recordings and live streams."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import packets
import pytest
import stream_fixtures as streams

from fuzz import samples
from tests.ports import free_port

CAPTURES = samples.DATA / "captures"
TCP_CAPTURE = CAPTURES / "C37.118_1PMU_TCP.pcap"
UDP_CAPTURE = CAPTURES / "C37.118_1PMU_UDP_minimal.pcap"


def c37118(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grid.inspect", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=streams.stretched(30),
    )


@pytest.fixture(scope="module")
def pmu() -> Iterator[str]:
    port = free_port()
    with streams.Process("grid.pmu", "serve", "--idcode", "7", "--port", str(port)):
        yield f"{streams.HOST}:{port}"


def test_a_recording_is_dumped_as_text_in_physical_units():
    done = c37118("dump", TCP_CAPTURE, "--count", 4)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[2] for line in lines if line[0] != " "] == [
        "COMMAND", "CFG2", "COMMAND", "DATA",
    ]  # fmt: skip
    assert lines[-1].startswith("    Blue PMU (241) good, trigger 0: V1LPM 100044 V ∠ -89.929°;")
    assert lines[-1].endswith("50.0000 Hz; 0 Hz/s")


def test_a_recording_is_dumped_as_one_json_object_a_line():
    done = c37118("dump", UDP_CAPTURE, "--json")
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["type"] for one in documents] == ["command", "cfg2", "command", "data", "command"]
    (pmu,) = documents[3]["pmus"]
    assert documents[3]["time"] == "2008-08-01T16:18:11.580000Z"
    assert pmu["phasors"][0]["name"] == "VA"
    assert pmu["phasors"][0]["magnitude"] == pytest.approx(100.0776, abs=1e-3)
    assert pmu["phasors"][0]["angle_deg"] == pytest.approx(-89.802, abs=1e-3)
    assert pmu["stat"]["data_error"] == "good"


def test_seconds_end_a_recording_too():
    count = len(c37118("dump", TCP_CAPTURE, "--seconds", 1, "--json").stdout.splitlines())
    assert 50 <= count <= 56


def test_real_captures_are_checked():
    done = c37118("check", TCP_CAPTURE)
    assert done.returncode == 1
    assert "252 data frames" in done.stdout
    assert "WRONG stat: Blue PMU: good, trigger 0, in 252 of 252 data frames" in done.stdout
    assert c37118("check", TCP_CAPTURE, "--allow", "stat").returncode == 0
    (report,) = json.loads(c37118("check", UDP_CAPTURE, "--json").stdout)
    assert report["findings"] == []


def test_damage_in_a_recording_is_found(tmp_path: Path):
    frames = samples.annex_d()
    bad = frames["data"][:-1] + b"\0"
    segments = [(True, frames["cfg2"]), (True, bad), (True, b"noise"), (True, frames["data"])]
    other = [packets.ip(True, 17, packets.udp(True, frames["cfg2"], 6)[40:], 6)]
    path = packets.write(tmp_path / "a.pcap", packets.datagrams(segments) + other)
    done = c37118("check", path)
    assert done.returncode == 1
    assert "WRONG crc: 10.0.0.2:4712 > 10.0.0.1:40000 UDP: 1 frames with a wrong CRC" in done.stdout
    assert "WRONG garbage: 10.0.0.2:4712 > 10.0.0.1:40000 UDP: 57 bytes" in done.stdout
    assert "WRONG idcode: IDCODE 7734 comes from 10.0.0.2, [fd00::2]" in done.stdout


def test_each_receiver_of_a_stream_is_checked_by_itself(tmp_path: Path):
    frames = samples.annex_d()
    made = []
    clients = [packets.Tcp(client_port=40000), packets.Tcp(client_port=40001)]
    for client in clients:
        made += [*client.handshake(), client.packet(True, payload=frames["cfg2"])]
    made += [client.packet(True, payload=frames["data"]) for client in clients]
    # The time stamp of annex D's frame stands at no reporting time.
    done = c37118("check", packets.write(tmp_path / "a.pcap", made), "--allow", "rate")
    assert done.stdout.count("\n    1 data frames\n") == 2, done.stdout
    assert done.returncode == 0, done.stdout


def test_data_by_udp_are_one_stream_with_their_configuration_by_tcp(tmp_path: Path):
    frames = samples.annex_d()
    made = packets.conversation([(False, frames["command"]), (True, frames["cfg2"])])
    made.append(packets.udp(True, frames["data"], port=5555))
    done = c37118("check", packets.write(tmp_path / "a.pcap", made), "--allow", "rate")
    assert done.stdout.startswith("IDCODE 7734 of 10.0.0.2 to 10.0.0.1:40000\n    CFG-2 of 2005")
    assert done.stdout.count("data frames\n") == 1
    assert done.returncode == 0, done.stdout


def test_a_live_stream_is_dumped_and_checked(pmu):
    done = c37118("dump", pmu, "--idcode", 7, "--count", 5, "--json", "--cfg3")
    assert done.returncode == 0, done.stderr
    kinds = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert sorted(set(kinds)) == ["cfg2", "cfg3", "data"]
    assert len(kinds) == 5
    done = c37118("check", f"tcp://{pmu}", "--idcode", 7, "--seconds", 3)
    assert done.returncode == 1
    assert "clock unreliable" in done.stdout
    done = c37118(
        "check", f"tcp://{pmu}", "--idcode", 7, "--seconds", 3, "--allow", "clock", "--allow",
        # On a busy machine a frame may wait.
        "rate",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "from time stamp to arrival" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "missing.pcap"], "cannot read missing.pcap: No such file or directory"),
        (["dump", str(CAPTURES)], "Is a directory"),
        (["dump", __file__], "it is neither pcap nor pcapng"),
        (["dump", "127.0.0.1:1"], "add --idcode N"),
        (["dump", "http://127.0.0.1"], "the scheme 'http' is unknown"),
        (["check", "127.0.0.1:1", "--idcode", "7", "--wait", "0.5"], "Connection refused"),
        (["check", "no.such.host.invalid:4712", "--idcode", "7", "--wait", "1"], "no stream from"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line_and_code_2(arguments, message):
    done = c37118(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("c37118: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_reader_that_has_enough_is_no_error():
    command = f"{sys.executable} -m grid.inspect dump {TCP_CAPTURE} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
