"""The MySQL server: its login, waiting for it, creating database and user."""

import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pymysql
import pymysql.cursors

_LOG = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 3
_ANSWER_TIMEOUT_S = 15
_PAUSE_S = 1.0
_SAY_EVERY_S = 5.0
_ACCESS_DENIED = {1044, 1045, 1698}
_UNKNOWN_DATABASE = 1049

Connection: TypeAlias = "pymysql.connections.Connection[pymysql.cursors.Cursor]"


class DatabaseError(Exception):
    """The database cannot be used; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """How to reach the server."""

    host: str
    """DB_HOST."""
    port: int
    """DB_PORT."""
    user: str
    """DB_USER."""
    password: str
    """DB_PASSWORD."""
    database: str | None = None
    """The database to use; None for none."""

    @classmethod
    def from_environ(cls, database: str | None) -> "Login":
        """Read DB_HOST, DB_PORT, DB_USER and DB_PASSWORD; DatabaseError if one is wrong."""
        port = os.environ.get("DB_PORT", "3306")
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            raise DatabaseError(f"DB_PORT is {port!r}: set it to a port number")
        if database is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", database):
            raise DatabaseError(
                f"{database!r} is no database name: take letters, digits and underscores"
            )
        return cls(
            host=os.environ.get("DB_HOST", "localhost"),
            port=int(port),
            user=os.environ.get("DB_USER", "openpdc"),
            password=os.environ.get("DB_PASSWORD", ""),
            database=database,
        )

    def as_root(self) -> "Login":
        """Return root's login, with DB_ROOT_PASSWORD and no database."""
        password = os.environ.get("DB_ROOT_PASSWORD", "")
        return replace(self, user="root", password=password, database=None)

    def __str__(self) -> str:
        return f"{self.user} at {self.host}:{self.port}"


def connect(login: Login) -> Connection:
    """Connect once; pymysql.MySQLError or OSError where that fails."""
    return pymysql.connect(
        host=login.host,
        port=login.port,
        user=login.user,
        password=login.password,
        database=login.database,
        charset="utf8mb4",
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_ANSWER_TIMEOUT_S,
        write_timeout=_ANSWER_TIMEOUT_S,
    )


def wait(
    login: Login, limit_s: float, connect: Callable[[Login], Connection] = connect
) -> Connection:
    """Connect, waiting at most `limit_s` for the server, and say so every 5 s.

    A refused login counts as waiting too: the server may be in the middle of its own
    set-up, and the user may be about to be created. DatabaseError when the time is over.
    """
    start_s = time.monotonic()
    said_s = -_SAY_EVERY_S
    while True:
        try:
            return connect(login)
        except (pymysql.MySQLError, OSError) as error:
            elapsed_s = time.monotonic() - start_s
            if elapsed_s >= limit_s:
                raise DatabaseError(
                    f"no database as {login} within {limit_s:g} s: {reason(error)}. {_cure(error)}"
                ) from error
            if elapsed_s - said_s >= _SAY_EVERY_S:
                said_s = elapsed_s
                _LOG.info(
                    "waiting for the database as %s, %.0f s of %g s: %s",
                    login,
                    elapsed_s,
                    limit_s,
                    reason(error),
                )
            time.sleep(min(_PAUSE_S, max(0.0, limit_s - elapsed_s)))


def reason(error: BaseException) -> str:
    """Return what an error of the database says, on one line."""
    words: list[Any] = list(error.args)
    return " ".join(str(word) for word in words).replace("\n", " ") or type(error).__name__


def create(root: Connection, login: Login) -> None:
    """Make the login's database and user where they are missing, and set its password."""
    assert login.database is not None, "a database is needed"  # noqa: S101
    # Underscores are wildcards in GRANT; the name holds nothing else that needs care.
    pattern = login.database.replace("_", r"\_")
    with root.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{login.database}` CHARACTER SET utf8mb4")
        account = (login.user, login.password)
        cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", account)
        cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", account)
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON `{pattern}`.* TO %s@'%%'", (login.user,)
        )
    root.commit()


def _cure(error: BaseException) -> str:
    code = error.args[0] if error.args else None
    if code in _ACCESS_DENIED:
        return "Check DB_USER and DB_PASSWORD (DB_ROOT_PASSWORD for pdc init)."
    if code == _UNKNOWN_DATABASE:
        return "Run pdc init for this database first."
    return "Check DB_HOST and DB_PORT, and that the server runs."
