"""A writer of rows, outside the cluster, that finds acknowledged rows which are gone."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pymysql

from measurements import events, history
from measurements.probes.addresses import Address, Rotation
from measurements.probes.probe import Probe
from service.socket_address import host_port

INTERVAL_S = 0.1
"""Time from one row to the next."""
TIMEOUT_S = 1.0
"""A connection or a statement that takes longer has failed."""
TABLE = "blackstart_rows"
"""The probe's own table."""

Connection: TypeAlias = "pymysql.connections.Connection[pymysql.cursors.Cursor]"


class SqlWriter(Probe):
    """Writes a row every INTERVAL_S through whichever of `addresses` answers.

    Each row is its own transaction with a key that the writer chooses, so that a row
    whose acknowledgement was lost is never written twice. The user must be allowed to
    create `database`, or it must exist.
    """

    def __init__(
        self,
        recorder: history.Recorder,
        addresses: Sequence[Address],
        *,
        user: str,
        password: str,
        database: str = "probe",
    ) -> None:
        super().__init__(recorder, name="sql-writer")
        self._addresses = tuple(addresses)
        self._rotation = Rotation(addresses)
        self._user = user
        self._password = password
        self._database = database
        self._first_id = time.time_ns() // 1_000_000
        self._next_id = self._first_id
        self._acknowledged: list[int] = []
        self._last_failure = "no connection was tried yet"

    @property
    def rows(self) -> int:
        """Rows acknowledged so far."""
        return len(self._acknowledged)

    def wait_for_rows(self, count: int = 5, *, limit_s: float = 60.0) -> None:
        """Wait for `count` more acknowledged rows; TimeoutError with the last failure."""
        wanted = self.rows + count
        self._wait_until(
            lambda: self.rows >= wanted,
            limit_s=limit_s,
            what=f"{count} acknowledged rows",
            evidence=lambda: f"{self.rows - wanted + count} came; last: {self._last_failure}",
        )

    def check(self, *, limit_s: float = 30.0) -> events.SqlChecked:
        """Read back all rows acknowledged so far, and record which are missing.

        Tries for `limit_s` at most, then raises TimeoutError with the last failure.
        """
        acknowledged = set(self._acknowledged)
        began = time.monotonic()
        rotation = Rotation(self._addresses)
        while True:
            try:
                present = self._read_back(rotation.next()) & acknowledged
                break
            except (pymysql.Error, OSError) as error:
                elapsed = time.monotonic() - began
                if elapsed >= limit_s:
                    raise TimeoutError(
                        f"{self.name}: the rows could not be read back in {elapsed:.0f} s "
                        f"(limit {limit_s:g} s); last: {error}"
                    ) from error
                time.sleep(INTERVAL_S)
        checked = events.SqlChecked(
            acknowledged=len(acknowledged),
            present=len(present),
            missing=tuple(sorted(acknowledged - present)),
        )
        self._recorder.record(checked)
        return checked

    def _jobs(self) -> Sequence[Callable[[], None]]:
        return (self._write_rows,)

    def _write_rows(self) -> None:
        while not self._stopped.is_set():
            began_s, rows = time.monotonic(), self.rows
            address = self._rotation.next()
            try:
                with contextlib.closing(self._connect(address)) as connection:
                    self._prepare(connection)
                    self._rotation.answered()
                    self._write_until_stopped(connection)
            except (pymysql.Error, OSError) as error:
                self._last_failure = f"{host_port(address)}: {_words(error)}"
                self._record(events.SqlFailed(why=self._last_failure))
                if self.rows == rows and time.monotonic() - began_s >= TIMEOUT_S:
                    self._rotation.hung()
            self._stopped.wait(INTERVAL_S)

    def _write_until_stopped(self, connection: Connection) -> None:
        """Write row after row; the first failure ends it with pymysql's exception."""
        due_s = time.monotonic()
        with connection.cursor() as cursor:
            while not self._stopped.is_set():
                row, self._next_id = self._next_id, self._next_id + 1
                cursor.execute(f"INSERT INTO {TABLE} (id) VALUES (%s)", (row,))  # noqa: S608
                self._acknowledged.append(row)
                self._record(events.RowAcknowledged(id=row))
                due_s = max(due_s + INTERVAL_S, time.monotonic())
                self._stopped.wait(due_s - time.monotonic())

    def _read_back(self, address: Address) -> set[int]:
        with (
            contextlib.closing(self._connect(address)) as connection,
            connection.cursor() as cursor,
        ):
            self._use_database(cursor)
            cursor.execute(f"SELECT id FROM {TABLE} WHERE id >= %s", (self._first_id,))  # noqa: S608
            return {int(row[0]) for row in cursor.fetchall()}

    def _prepare(self, connection: Connection) -> None:
        with connection.cursor() as cursor:
            with contextlib.suppress(pymysql.err.OperationalError):
                # A user who may not create a database may still be given one.
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{self._database}`")
            self._use_database(cursor)
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {TABLE} (id BIGINT PRIMARY KEY, "
                "written TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)) ENGINE=InnoDB"
            )

    def _use_database(self, cursor: pymysql.cursors.Cursor) -> None:
        cursor.execute(f"USE `{self._database}`")

    def _connect(self, address: Address) -> Connection:
        host, port = address
        return pymysql.connect(
            host=host,
            port=port,
            user=self._user,
            password=self._password,
            autocommit=True,
            connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            write_timeout=TIMEOUT_S,
        )


def _words(error: Exception) -> str:
    """Return an error's message without MySQL's number where it has one."""
    return str(error.args[1] if len(error.args) > 1 else error)
