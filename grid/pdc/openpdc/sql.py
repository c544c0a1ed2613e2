"""The DB-API cursor, and the constants that reading and writing the tables share."""

import uuid
from typing import Any, Protocol

NAMESPACE = uuid.UUID("6f5a8f0e-4c0d-4d43-9d35-37118c371182")
"""Ids are made of names within this namespace, so the same topology has the same ids."""
NAME_SIZE = 16
"""openPDC keeps the 16 names of a digital word in one text, each padded to this size."""

MQTT_ADAPTER = "grid.pdc.mqtt"
"""TypeName of the CustomOutputAdapter that stands for an MQTT output. It is in databases, and
no name of a module."""


class SqlCursor(Protocol):
    """The used part of a DB-API cursor with %s parameters."""

    @property
    def lastrowid(self) -> int | None:
        """The AUTO_INCREMENT value of the last INSERT."""

    def execute(self, query: str, args: Any = None) -> Any:
        """Run one statement."""

    def fetchall(self) -> Any:
        """Return the rows of the last SELECT, as tuples."""
