"""A MySQL server for tests, and what they do with it."""

import contextlib
import os
import time
from collections.abc import Iterator

import pymysql
import pytest
import stream_fixtures as streams

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


@pytest.fixture(scope="session", name="server")
def find_server() -> dict[str, str]:
    given = os.environ.get("BLACKSTART_TEST_MYSQL")
    if not given:
        pytest.fail("BLACKSTART_TEST_MYSQL=HOST:PORT:ROOTPASSWORD names no MySQL server")
    host, port, password = given.split(":", 2)
    return {"DB_HOST": host, "DB_PORT": port, "DB_ROOT_PASSWORD": password}


@pytest.fixture(name="env")
def make_env(server: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give each test a database and a user of its own; both are dropped after it."""
    name = f"t{os.getpid()}_{time.monotonic_ns()}"
    env = {**server, "DB_USER": name[:32], "DB_PASSWORD": "it's a \\ pass%word", "NAME": name}
    yield env
    with contextlib.closing(root(env)) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        cursor.execute("DROP USER IF EXISTS %s@'%%'", (env["DB_USER"],))


def root(env: dict[str, str]) -> pymysql.connections.Connection:
    return _connected(env, "root", env["DB_ROOT_PASSWORD"])


def user(env: dict[str, str]) -> pymysql.connections.Connection:
    """Connect with the rights that a PDC gets."""
    return _connected(env, env["DB_USER"], env["DB_PASSWORD"], autocommit=True)


def _connected(
    env: dict[str, str], name: str, password: str, *, autocommit: bool = False
) -> pymysql.connections.Connection:
    return pymysql.connect(
        host=env["DB_HOST"],
        port=int(env["DB_PORT"]),
        user=name,
        password=password,
        autocommit=autocommit,
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


def statements(env: dict[str, str], *queries: str) -> None:
    """Run statements as root in the test's database."""
    with contextlib.closing(root(env)) as connection, connection.cursor() as cursor:
        cursor.execute(f"USE `{env['NAME']}`")
        for query in queries:
            cursor.execute(query)
        connection.commit()
