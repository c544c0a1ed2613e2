"""What `pdc` says without any database."""

import time

import pytest
import stream_fixtures as streams

from grid.pdc.topology import document
from grid.pdc.topology.cache import TopologyCache
from tests.ports import free_port

NOWHERE = {"DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_PASSWORD": "x"}


def test_a_wait_for_the_database_says_what_it_waits_for_and_ends():
    arguments = ["show", "--database", "lower", "--wait", "2"]
    start = time.monotonic()
    with streams.Process("grid.pdc", *arguments, env=NOWHERE) as process:
        _, error = process.process.communicate(timeout=streams.stretched(30))
    assert time.monotonic() - start >= 2
    assert process.process.returncode == 1
    first, *_, last = error.strip().splitlines()
    assert "waiting for the database as openpdc at 127.0.0.1:1, 0 s of 2 s" in first
    assert last.startswith("pdc: no database as openpdc at 127.0.0.1:1 within 2 s")
    assert last.endswith("Check DB_HOST and DB_PORT, and that the server runs.")


def test_sigterm_ends_a_wait_within_a_second():
    arguments = ["serve", "--database", "lower", "--wait", "60"]
    with streams.Process("grid.pdc", *arguments, env=NOWHERE) as process:
        assert process.process.stderr is not None
        assert "waiting for the database" in process.process.stderr.readline()
        code, seconds, _ = process.terminate()
    assert code == 0
    assert seconds < streams.stretched(1)


def test_a_topology_with_mistakes_is_refused_before_anything_is_done(tmp_path):
    path = tmp_path / "bad.yml"
    path.write_text("stream: {name: pdc, idcode: 0}\ninputs: []\n")
    arguments = ["init", "--database", "lower", "--topology", str(path)]
    with streams.Process("grid.pdc", *arguments, env=NOWHERE) as process:
        _, error = process.process.communicate(timeout=streams.stretched(30))
    assert process.process.returncode == 1
    assert error.splitlines() == [
        f"pdc: the topology {path} has to be corrected:",
        "  stream.idcode: 0 is no whole number within 1..65534",
    ]


@pytest.mark.parametrize("port", ["0", "x", "70000"])
def test_a_wrong_port_in_the_environment_is_said(port):
    env = {**NOWHERE, "DB_PORT": port}
    with streams.Process("grid.pdc", "show", "--database", "lower", env=env) as process:
        _, error = process.process.communicate(timeout=streams.stretched(30))
    assert error == f"pdc: DB_PORT is '{port}': set it to a port number\n"


def test_it_starts_from_the_cache_when_the_database_is_away(tmp_path):
    port = free_port()
    cache = TopologyCache(tmp_path / "config.json")
    cache.save(
        document.loads(
            "stream: {name: pdc, idcode: 10}\n"
            "inputs: [{name: p, host: 127.0.0.1, port: 1, idcode: 1, phasors: [VA]}]"
        )
    )
    arguments = ["serve", "--database", "lower", "--port", str(port), "--cache", str(cache.path)]
    with streams.Process("grid.pdc", *arguments, env=NOWHERE) as process:
        assert process.process.stderr is not None
        first = process.process.stderr.readline()
        assert "Using the configuration of" in first
        assert "no stream (attempt 1)" in process.process.stderr.readline()
        code, seconds, _ = process.terminate()
    assert code == 0
    assert seconds < streams.stretched(1)
