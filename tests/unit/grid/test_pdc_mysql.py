"""The tables in a real MySQL server.

They run with `-m mysql`, against the server that BLACKSTART_TEST_MYSQL=HOST:PORT:ROOTPASSWORD
names; tests/lab runs them against a lab's own.
"""

import contextlib
import os
import socket
import time
from collections.abc import Iterator

import pymysql
import pytest
import stream_fixtures as streams

from grid import client
from grid.pdc import document

pytestmark = pytest.mark.mysql

TOPOLOGY = """
stream: {name: pdc, idcode: 10, port: 4712, lag_time_s: 0.3}
inputs:
  - {name: pmu-1, host: 127.0.0.1, port: PORT, idcode: 1, phasors: [VA, VB, VC, IA, IB, IC]}
  - name: area-2
    host: "::1"
    port: 4999
    idcode: 11
    pmus:
      - name: pmu-7
        idcode: 7
        phasors: [V+, {label: Line 4, type: I, phase: "0"}]
        analogs: [Power]
        digitals: [[Breaker 1, Breaker 2], [Door]]
"""


@pytest.fixture(scope="module")
def server() -> dict[str, str]:
    given = os.environ.get("BLACKSTART_TEST_MYSQL")
    if not given:
        pytest.fail("BLACKSTART_TEST_MYSQL=HOST:PORT:ROOTPASSWORD names no MySQL server")
    host, port, password = given.split(":", 2)
    return {"DB_HOST": host, "DB_PORT": port, "DB_ROOT_PASSWORD": password}


@pytest.fixture
def env(server: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give each test a database and a user of its own; both are dropped after it."""
    name = f"t{os.getpid()}_{time.monotonic_ns()}"
    env = {**server, "DB_USER": name[:32], "DB_PASSWORD": "it's a \\ pass%word", "NAME": name}
    yield env
    with contextlib.closing(root(env)) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        cursor.execute("DROP USER IF EXISTS %s@'%%'", (env["DB_USER"],))


def root(env: dict[str, str]) -> pymysql.connections.Connection:
    return pymysql.connect(
        host=env["DB_HOST"],
        port=int(env["DB_PORT"]),
        user="root",
        password=env["DB_ROOT_PASSWORD"],
    )


def pdc(env: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    command, *rest = arguments
    database = ["--database", env["NAME"], "--wait", "10"]
    with streams.Process("grid.pdc", command, *database, *rest, env=env) as process:
        out, error = process.process.communicate(timeout=streams.stretched(60))
    return process.process.returncode, out, error


def rows(env: dict[str, str], query: str) -> list[tuple]:
    with contextlib.closing(root(env)) as connection, connection.cursor() as cursor:
        cursor.execute(f"USE `{env['NAME']}`")
        cursor.execute(query)
        return list(cursor.fetchall())


def write(tmp_path, text: str = TOPOLOGY):
    path = tmp_path / "topology.yml"
    path.write_text(text.replace("PORT", "4712"))
    return str(path)


def test_a_topology_survives_the_tables(env, tmp_path):
    path = write(tmp_path)
    code, out, error = pdc(env, "init", "--topology", path)
    assert (code, error) == (0, "")
    assert "now holds node pdc: 2 inputs, 2 PMUs" in out
    code, out, error = pdc(env, "show")
    assert (code, error) == (0, "")
    assert document.loads(out) == document.loads((tmp_path / "topology.yml").read_text())


def test_a_second_run_changes_nothing_and_another_topology_replaces_the_rows(env, tmp_path):
    path = write(tmp_path)
    pdc(env, "init", "--topology", path)
    query = "SELECT ID, UniqueID, Acronym, UNIX_TIMESTAMP() > 0 FROM Device ORDER BY ID"
    before = rows(env, query)
    _, out, _ = pdc(env, "init", "--topology", path)
    assert "held already" in out
    assert rows(env, query) == before
    pdc(env, "init", "--topology", write(tmp_path, TOPOLOGY.replace("V+, ", "")))
    assert rows(env, "SELECT COUNT(*) FROM OutputStream") == [(1,)]
    assert rows(env, "SELECT COUNT(*) FROM Phasor") == [(7,)]
    assert rows(env, "SELECT COUNT(*) FROM OutputStreamDevicePhasor") == [(7,)]


def test_the_rows_are_those_of_openpdc(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    devices = rows(
        env,
        "SELECT d.Acronym, p.Acronym, d.IsConcentrator, d.AccessID, d.ConnectionString"
        " FROM Device d LEFT JOIN Device p ON p.ID = d.ParentID ORDER BY d.ID",
    )
    string = "transportProtocol=tcp; server={}; phasorProtocol=IeeeC37_118V2"
    assert devices == [
        ("PMU-1", None, 0, 1, string.format("127.0.0.1:4712")),
        ("AREA-2", None, 1, 11, string.format("[::1]:4999")),
        ("PMU-7", "AREA-2", 0, 7, None),
    ]
    references = rows(
        env,
        "SELECT m.SignalReference, t.Acronym FROM Measurement m"
        " JOIN SignalType t ON t.ID = m.SignalTypeID"
        " WHERE m.SignalReference LIKE 'PMU-7%' ORDER BY m.PointID",
    )
    assert references == [
        ("PMU-7-SF", "FLAG"),
        ("PMU-7-FQ", "FREQ"),
        ("PMU-7-DF", "DFDT"),
        ("PMU-7-PM1", "VPHM"),
        ("PMU-7-PA1", "VPHA"),
        ("PMU-7-PM2", "IPHM"),
        ("PMU-7-PA2", "IPHA"),
        ("PMU-7-AV1", "ALOG"),
        ("PMU-7-DV1", "DIGI"),
        ("PMU-7-DV2", "DIGI"),
    ]
    (mode,) = rows(env, "SELECT @@sql_mode LIKE '%STRICT%'")
    assert mode == (1,)


def test_two_inits_at_once_do_not_disturb_each_other(env, tmp_path):
    path = write(tmp_path)
    arguments = ["--database", env["NAME"], "--topology", path, "--wait", "10"]
    processes = [streams.Process("grid.pdc", "init", *arguments, env=env) for _ in range(3)]
    said = []
    for process in processes:
        with process:
            said.append("".join(process.process.communicate(timeout=streams.stretched(60))))
    assert sum("now holds" in text for text in said) == 1, said
    assert sum("held already" in text for text in said) == 2, said


def test_the_user_may_not_touch_other_databases(env, tmp_path):
    pdc(env, "init", "--topology", write(tmp_path))
    with (
        contextlib.closing(
            pymysql.connect(
                host=env["DB_HOST"],
                port=int(env["DB_PORT"]),
                user=env["DB_USER"],
                password=env["DB_PASSWORD"],
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW DATABASES")
        visible = {row[0] for row in cursor.fetchall()}
        with pytest.raises(pymysql.MySQLError):
            cursor.execute(f"CREATE DATABASE `{env['NAME']}x`")
    assert visible - {"information_schema", "performance_schema"} == {env["NAME"]}


def test_it_serves_from_the_database_and_without_it_from_the_cache(env, tmp_path):
    pmu_port, port = streams.free_port(), streams.free_port()
    path = tmp_path / "topology.yml"
    path.write_text(TOPOLOGY.replace("PORT", str(pmu_port)))
    cache = tmp_path / "cache" / "config.json"
    pmu = streams.Process("grid.pmu", "serve", "--idcode", "1", "--port", str(pmu_port))
    with pmu:
        pdc(env, "init", "--topology", str(path))
        for database_port, message in ((env["DB_PORT"], ""), ("1", "from the cache")):
            options = ["--database", env["NAME"], "--port", str(port), "--cache", str(cache)]
            here = {**env, "DB_PORT": database_port}
            with streams.Process("grid.pdc", "serve", *options, env=here) as serving:
                streams.eventually(lambda: reachable(port))
                frames = 0
                for event in client.receive(streams.HOST, port, idcode=10):
                    frames += isinstance(event, client.Frame)
                    if frames == 20:
                        break
                assert frames == 20
                code, seconds, log = serving.terminate()
            assert code == 0
            assert seconds < streams.stretched(1)
            assert message in log
            assert cache.exists()


def reachable(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((streams.HOST, port)) == 0


def test_what_is_wrong_is_one_clear_sentence(env, tmp_path):
    path = write(tmp_path)
    code, _, error = pdc(
        {**env, "DB_ROOT_PASSWORD": "no"}, "init", "--wait", "0", "--topology", path
    )
    assert code == 1
    assert "Check DB_USER and DB_PASSWORD (DB_ROOT_PASSWORD for pdc init)" in error
    pdc(env, "init", "--topology", path)
    code, _, error = pdc(env, "show", "--node", "other")
    assert code == 1
    assert "the database has no node 'other'; it has pdc" in error
    code, _, error = pdc({**env, "NAME": "mysql; DROP"}, "show")
    assert code == 1
    assert "is no database name" in error
    assert "Traceback" not in error
