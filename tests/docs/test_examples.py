"""The programs of examples/ do what their docstrings say."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LIMIT_S = 30


def run(name: str, *arguments: object) -> str:
    argv = [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)]
    done = subprocess.run(
        argv, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def background(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture
def ports() -> list[int]:
    return [free_port() for _ in range(3)]


@contextmanager
def pmu(idcode: int, port: int) -> Iterator[None]:
    with background("-m", "grid.pmu", "serve", "--idcode", idcode, "--port", port):
        for _ in range(LIMIT_S * 10):
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    yield
                    return
            time.sleep(0.1)
        raise TimeoutError(f"no PMU listens on port {port}")


def test_read_stream(ports: list[int]) -> None:
    with pmu(1, ports[0]):
        lines = run("read_stream", "localhost", ports[0], 1, 3).splitlines()
    assert len(lines) == 3
    assert all(" pmu-1 VA: " in line for line in lines)


def test_write_stream_is_read_by_the_reader(ports: list[int]) -> None:
    with background(EXAMPLES / "write_stream.py", ports[0], LIMIT_S) as writer:
        assert writer.stdout is not None
        assert str(ports[0]) in writer.stdout.readline()
        lines = run("read_stream", "localhost", ports[0], 7, 2).splitlines()
    assert all("example VA: 76210.0 at 0.00 deg, 50.0000 Hz" in line for line in lines)
    assert len(lines) == 2


def test_concentrate(ports: list[int]) -> None:
    with pmu(1, ports[0]), pmu(2, ports[1]):
        printed = run("concentrate", *ports, 3)
    frames = int(printed.split()[0])
    assert frames >= 50, printed
    assert "last arrival to sent" in printed


def test_read_capture() -> None:
    printed = run("read_capture", "tests/data/synchrophasor/captures/C37.118_1PMU_TCP.pcap")
    assert " sends " in printed
    assert " DATA\n" in printed


def test_analyse_history() -> None:
    printed = run("analyse_history", "reports/sample/history.jsonl")
    results = json.loads((ROOT / "reports" / "sample" / "results.json").read_text())
    isolated = next(case for case in results["cases"] if case["name"] == "worker-isolated")
    assert "worker-isolated: " in printed
    assert f"streaming   {isolated['intervals']['streaming']['seconds']:6.2f} s" in printed


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_is_a_first_read(file: Path) -> None:
    assert len(file.read_text().splitlines()) < 40
    assert f"test_{file.stem}" in Path(__file__).read_text(), "no test runs it"
