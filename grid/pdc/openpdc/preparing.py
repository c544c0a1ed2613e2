"""Makes openPDC's tables, views and fixed rows, or brings those of an earlier version up to date.

Tables that openPDC's own script made are left as they are: that script makes a view
SchemaVersion, which nothing here does.
"""

from collections.abc import Iterator

from grid.pdc.openpdc import rows, schema, start_tables, views
from grid.pdc.openpdc.sql import SqlCursor

_KEYS = ("PRIMARY KEY", "UNIQUE KEY", "FOREIGN KEY")

_WHERE_ROWS_WERE = {
    # What streams of earlier versions did, which used all time stamps.
    ("OutputStream", "IgnoreBadTimeStamps"): "TINYINT NOT NULL DEFAULT 1",
    ("OutputStream", "TimeResolution"): f"INT NOT NULL DEFAULT {schema.TIME_RESOLUTION}",
    ("OutputStream", "ConnectionString"): f"TEXT NULL DEFAULT ('{schema.STREAM_SETTINGS}')",
}
"""Definitions of columns, where they are added to a table that has rows of an earlier version."""

_NUMBERED = (
    ("Protocol", "ID"),
    ("SignalType", "ID"),
    ("Node", "ID"),
    ("Device", "UniqueID"),
    ("Measurement", "SignalID"),
)
"""Columns that openPDC leaves to the database, and an earlier version's tables did not fill."""


def prepare(cursor: SqlCursor) -> None:
    """Make what is missing."""
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.VIEWS"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'SchemaVersion'"
    )
    if not cursor.fetchall()[0][0]:
        _tables(cursor)
        for name, query in views.VIEWS.items():
            # With its caller's rights, so that it outlives the user who made it.
            cursor.execute(f"CREATE OR REPLACE SQL SECURITY INVOKER VIEW {name} AS {query}")
        rows.fill_start(cursor)
    rows.fill_types(cursor)


def _tables(cursor: SqlCursor) -> None:
    tables = {**schema.TABLES, **start_tables.TABLES}
    for table, text in tables.items():
        parts = ", ".join(_lines(text))
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({parts}) CHARACTER SET utf8mb4")
    cursor.execute(
        "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT IS NULL AND EXTRA = ''"
        " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
    )
    present = {(table, column): plain for table, column, plain in cursor.fetchall()}
    for table, text in tables.items():
        for line in _lines(text):
            if line.startswith(_KEYS):
                continue
            column, definition = line.split(" ", 1)
            if (table, column) not in present:
                added = _WHERE_ROWS_WERE.get((table, column), definition)
                cursor.execute(f"ALTER TABLE {table} ADD COLUMN {column} {added}")
            elif (table, column) in _NUMBERED and present[table, column]:
                _redefine(cursor, table, column, definition)


def _redefine(cursor: SqlCursor, table: str, column: str, definition: str) -> None:
    # Its key is there already, and other tables refer to it: the type stays the same.
    definition = definition.removesuffix(" PRIMARY KEY").removesuffix(" UNIQUE")
    cursor.execute("SET SESSION foreign_key_checks = 0")
    cursor.execute(f"ALTER TABLE {table} MODIFY COLUMN {column} {definition}")
    cursor.execute("SET SESSION foreign_key_checks = 1")


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.strip().splitlines())
