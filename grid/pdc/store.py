"""Topologies in openPDC's tables: making the tables, writing a topology."""

import uuid

from grid.pdc import database, schema
from grid.pdc.reading import NoSuchNodeError, load
from grid.pdc.sql import NAMESPACE, Cursor
from grid.pdc.topology import Topology
from grid.pdc.writing import Writer

_LOCK = "grid.pdc.init"
_LOCK_WAIT_S = 10


def apply_once(connection: database.Connection, topology: Topology) -> bool:
    """Make tables and rows say `topology`, in one transaction; return whether any changed.

    Only one process at a time does this in a database server: another one waits.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", (_LOCK, _LOCK_WAIT_S))
        if cursor.fetchall()[0][0] != 1:
            raise database.DatabaseError(
                f"another pdc init is at work for {_LOCK_WAIT_S} s already: try again later"
            )
        prepare(cursor)
        changed = apply(cursor, topology)
        connection.commit()
        cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))
    return changed


def prepare(cursor: Cursor) -> None:
    """Make the tables that are missing, and the fixed rows."""
    for statement in schema.TABLES:
        cursor.execute(f"{statement} CHARACTER SET utf8mb4")
    for protocol in schema.PROTOCOLS:
        cursor.execute(
            "INSERT INTO Protocol (ID, Acronym, Name) VALUES (%s, %s, %s)"
            " ON DUPLICATE KEY UPDATE ID = ID",
            protocol,
        )
    for signal in schema.SIGNAL_TYPES:
        cursor.execute(
            "INSERT INTO SignalType (ID, Name, Acronym, Suffix, Source, EngineeringUnits)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE ID = ID",
            signal,
        )


def apply(cursor: Cursor, topology: Topology) -> bool:
    """Make the rows of one node say `topology`; return whether anything had to change.

    The node's rows are replaced as a whole, so the caller's transaction must end with a
    commit. Other nodes' rows stay as they are.
    """
    try:
        if load(cursor, topology.node) == topology:
            return False
    except (NoSuchNodeError, ValueError):
        pass  # A node that cannot be read is written anew.
    node = _node(cursor, topology.node)
    cursor.execute("DELETE FROM OutputStream WHERE NodeID = %s", (node,))
    cursor.execute("DELETE FROM Device WHERE NodeID = %s", (node,))
    Writer(cursor, node, topology).write()
    return True


def _node(cursor: Cursor, name: str) -> str:
    """Return the id of the node of this name, which is made where there is none."""
    cursor.execute("SELECT ID FROM Node WHERE Name = %s", (name,))
    found = cursor.fetchall()
    node = str(found[0][0]) if found else str(uuid.uuid5(NAMESPACE, name))
    cursor.execute(
        "INSERT INTO Node (ID, Name, Master, Enabled) VALUES (%s, %s, 1, 1)"
        " ON DUPLICATE KEY UPDATE Enabled = 1",
        (node, name),
    )
    return node
