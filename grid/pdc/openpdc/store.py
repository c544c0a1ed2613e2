"""Creates openPDC's tables, and stores topologies in them."""

import uuid

import pymysql

from grid.pdc.openpdc import database, rows
from grid.pdc.openpdc.preparing import prepare
from grid.pdc.openpdc.reading import NoSuchNodeError, load
from grid.pdc.openpdc.sql import NAMESPACE, SqlCursor
from grid.pdc.openpdc.writing import TopologyWriter
from grid.pdc.topology.changes import changes
from grid.pdc.topology.model import Topology

_LOCK = "grid.pdc.init"
_LOCK_WAIT_S = 10
_OLD_TABLES = {1054, 1146}
"""MySQL's codes for a column and a table that is not there."""


def initialise(connection: database.Connection, topology: Topology) -> bool:
    """Make tables and rows say `topology`; return whether any row changed.

    Only one process at a time does this in a database server: another one waits.
    """
    with connection.cursor() as cursor:
        _lock(cursor)
        prepare(cursor)
        changed = bool(apply(cursor, topology))
        connection.commit()
        cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))
    return changed


def update(connection: database.Connection, topology: Topology) -> list[str]:
    """Make the rows say `topology`, in one transaction; return a line for each change.

    DatabaseError where the tables are missing.
    """
    with connection.cursor() as cursor:
        _lock(cursor)
        try:
            rows.fill_types(cursor)
            lines = apply(cursor, topology)
        except (pymysql.ProgrammingError, pymysql.OperationalError) as error:
            if error.args[0] not in _OLD_TABLES:
                raise
            raise database.DatabaseError(
                f"the tables are missing or old: {database.reason(error)}. Run pdc init first"
            ) from error
        connection.commit()
        cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))
    return lines


def node_id(connection: database.Connection, name: str) -> str:
    """Return the ID of the node of this name; NoSuchNodeError where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ID FROM Node WHERE Name = %s", (name,))
        found = cursor.fetchall()
    if not found:
        raise NoSuchNodeError(f"the database has no node {name!r}")
    return str(found[0][0])


def _lock(cursor: SqlCursor) -> None:
    cursor.execute("SELECT GET_LOCK(%s, %s)", (_LOCK, _LOCK_WAIT_S))
    if cursor.fetchall()[0][0] != 1:
        raise database.DatabaseError(
            f"another pdc init or apply is at work for {_LOCK_WAIT_S} s already: try again later"
        )


def apply(cursor: SqlCursor, topology: Topology) -> list[str]:
    """Make the rows of one node say `topology`; return a line for each change.

    The caller's transaction must end with a commit. Other nodes' rows stay as they are.
    """
    try:
        before: Topology | None = load(cursor, topology.node)
    except (NoSuchNodeError, ValueError):
        before = None  # A node that cannot be read is written from scratch.
    if before != topology:
        TopologyWriter(cursor, _node(cursor, topology.node), topology).write(before)
    rows.number_adapters(cursor)
    return changes(before, topology) if before != topology else []


def _node(cursor: SqlCursor, name: str) -> str:
    """Return the id of the node of this name, which is made where there is none."""
    cursor.execute("SELECT ID FROM Node WHERE Name = %s", (name,))
    found = cursor.fetchall()
    if found:
        cursor.execute("UPDATE Node SET Enabled = 1 WHERE ID = %s", (found[0][0],))
        return str(found[0][0])
    node = str(uuid.uuid5(NAMESPACE, name))
    cursor.execute(
        "INSERT INTO Node (ID, Name, MenuData, Master, Enabled) VALUES (%s, %s, 'Menu.xml', 1, 1)",
        (node, name),
    )
    return node
