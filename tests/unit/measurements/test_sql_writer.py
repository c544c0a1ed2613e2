"""The SQL writer against a stand-in for the driver that keeps, refuses and loses rows."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pymysql
import pytest

from measurements import events, history
from measurements.probes import sql_writer
from measurements.probes.sql_writer import SqlWriter


class Database:
    """What is on the other side of every address that is up."""

    def __init__(self) -> None:
        self.rows: set[int] = set()
        self.up = {"a": True, "b": True}
        self.statements: list[str] = []
        self.may_create = True

    def connect(self, *, host: str, **_: Any) -> "Connection":
        if not self.up[host]:
            raise pymysql.err.OperationalError(2003, f"Can't connect to {host}")
        return Connection(self, host)


class Connection:
    def __init__(self, database: Database, host: str) -> None:
        self._database, self._host = database, host
        self._found: list[tuple[int]] = []

    def cursor(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass

    def execute(self, statement: str, values: tuple[int, ...] = ()) -> None:
        database = self._database
        database.statements.append(statement)
        if not database.up[self._host]:
            raise pymysql.err.OperationalError(2013, "Lost connection during query")
        if statement.startswith("CREATE DATABASE") and not database.may_create:
            raise pymysql.err.OperationalError(1044, "Access denied")
        if statement.startswith("INSERT"):
            database.rows.add(values[0])
        if statement.startswith("SELECT"):
            self._found = [(row,) for row in database.rows if row >= values[0]]

    def fetchall(self) -> list[tuple[int]]:
        return self._found


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    made = Database()
    monkeypatch.setattr(pymysql, "connect", made.connect)
    monkeypatch.setattr(sql_writer, "INTERVAL_S", 0.01)
    return made


@pytest.fixture
def writer(tmp_path: Path, database: Database) -> Iterator[SqlWriter]:
    with history.Recorder(tmp_path / "history.jsonl") as recorder:
        yield SqlWriter(recorder, [("a", 1), ("b", 2)], user="u", password="p")


def told(tmp_path: Path, kind: type[events.Body]) -> list[Any]:
    return [e.body for e in history.read(tmp_path / "history.jsonl") if isinstance(e.body, kind)]


def eventually(check: Callable[[], bool], limit_s: float = 5) -> None:
    deadline = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_recorded_row_was_acknowledged(
    tmp_path: Path, writer: SqlWriter, database: Database
) -> None:
    with writer:
        writer.wait_for_rows(20, limit_s=10)
    recorded = [body.id for body in told(tmp_path, events.RowAcknowledged)]
    assert len(recorded) >= 20
    assert set(recorded) <= database.rows
    assert len(set(recorded)) == len(recorded)


def test_it_changes_the_address_when_one_fails(
    tmp_path: Path, writer: SqlWriter, database: Database
) -> None:
    with writer:
        writer.wait_for_rows(5, limit_s=10)
        database.up["a"] = False
        writer.wait_for_rows(5, limit_s=10)
        database.up |= {"a": True, "b": False}
        writer.wait_for_rows(5, limit_s=10)
    why = [body.why for body in told(tmp_path, events.SqlFailed)]
    assert any(re.match(r"a:1: Lost connection", words) for words in why)
    assert any(words.startswith("b:2: ") for words in why)


def test_rows_that_vanish_are_named(tmp_path: Path, writer: SqlWriter, database: Database) -> None:
    with writer:
        writer.wait_for_rows(10, limit_s=10)
        lost = sorted(database.rows)[2:4]
        database.rows -= set(lost)
        checked = writer.check()
    assert list(checked.missing) == lost
    assert checked.present == checked.acknowledged - 2
    assert told(tmp_path, events.SqlChecked) == [checked]


def test_a_row_without_acknowledgement_may_be_there_or_not(
    writer: SqlWriter, database: Database
) -> None:
    with writer:
        writer.wait_for_rows(3, limit_s=10)
        database.rows.add(max(database.rows) + 1000)
        assert writer.check().missing == ()


def test_a_check_without_a_database_is_a_clear_time_out(
    writer: SqlWriter, database: Database
) -> None:
    with writer:
        writer.wait_for_rows(1, limit_s=10)
        database.up = {"a": False, "b": False}
        with pytest.raises(TimeoutError, match=r"limit 0\.1 s.*Can't connect"):
            writer.check(limit_s=0.1)


def test_a_user_who_may_not_create_a_database_writes_into_the_one_that_is_there(
    writer: SqlWriter, database: Database
) -> None:
    database.may_create = False
    with writer:
        writer.wait_for_rows(3, limit_s=10)


def test_the_password_is_never_recorded(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.up = {"a": False}
    with (
        history.Recorder(tmp_path / "history.jsonl") as recorder,
        SqlWriter(recorder, [("a", 1)], user="u", password="hunter2"),
    ):
        eventually(lambda: len(told(tmp_path, events.SqlFailed)) > 2)
    assert "hunter2" not in (tmp_path / "history.jsonl").read_text()
