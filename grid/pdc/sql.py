"""What reading and writing the tables share."""

import uuid
from typing import Any, Protocol

from grid.pdc.topology import Input

NAMESPACE = uuid.UUID("6f5a8f0e-4c0d-4d43-9d35-37118c371182")
"""Ids are made of names within this namespace, so the same topology has the same ids."""
NAME_SIZE = 16
"""openPDC keeps the 16 names of a digital word in one text, each padded to this size."""


class Cursor(Protocol):
    """What is needed of a DB-API cursor with %s parameters."""

    @property
    def lastrowid(self) -> int | None:
        """The AUTO_INCREMENT value of the last INSERT."""

    def execute(self, query: str, args: Any = None) -> Any:
        """Run one statement."""

    def fetchall(self) -> Any:
        """Return the rows of the last SELECT, as tuples."""


def connection_string(source: Input) -> str:
    """Return an input's connection string, as openPDC's Device has it."""
    return (
        f"transportProtocol=tcp; server={source.host}:{source.port}; phasorProtocol=IeeeC37_118V2"
    )


def server(device: str, connection: str) -> tuple[str, int]:
    """Return host and port of a device's connection string; ValueError if it has none."""
    found = settings(connection)
    if found.get("transportprotocol", "tcp").lower() != "tcp":
        raise ValueError(f"device {device}: only transportProtocol=tcp is supported")
    host, _, port = found.get("server", "").rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"device {device}: its connection string has no server=HOST:PORT")
    return host, int(port)


def settings(connection: str) -> dict[str, str]:
    """Return the settings of a string `key=value; key=value`, keys in lower case."""
    found = {}
    for part in connection.split(";"):
        key, equals, value = part.partition("=")
        if equals:
            found[key.strip().lower()] = value.strip()
    return found
