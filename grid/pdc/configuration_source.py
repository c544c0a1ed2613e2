"""The sources of a PDC's configuration: the database with its copy on disk, or a file."""

import hashlib
import logging
import time
from pathlib import Path
from typing import Protocol

import pymysql

from grid.documents.document_error import DocumentError
from grid.pdc.openpdc import database, reading, schema
from grid.pdc.topology import document
from grid.pdc.topology.cache import TopologyCache
from grid.pdc.topology.model import Topology

_LOG = logging.getLogger(__name__)


class ConfigurationSourceError(Exception):
    """The configuration cannot be read; the message says why and what to do."""


class ConfigurationSource(Protocol):
    """Something that holds a topology and may change. Its methods block."""

    name: str
    """How messages call it."""

    def digest(self) -> str:
        """Return something short that differs after every change; SourceError if away."""

    def load(self) -> Topology:
        """Return the topology as it is now; SourceError where there is none."""


class FileSource:
    """A topology in a YAML file, for a machine without a database."""

    def __init__(self, path: Path) -> None:
        self.name = f"the file {path}"
        self._path = path

    def digest(self) -> str:
        """Return a digest of the file's bytes."""
        try:
            return hashlib.sha256(self._path.read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigurationSourceError(
                f"cannot read the topology {self._path}: {error.strerror}. Check --topology."
            ) from error

    def load(self) -> Topology:
        """Read the file."""
        try:
            return document.load(self._path)
        except OSError as error:
            raise ConfigurationSourceError(
                f"cannot read the topology {self._path}: {error.strerror}. Check --topology."
            ) from error
        except DocumentError as error:
            listed = "".join(f"\n  {problem}" for problem in error.problems)
            raise ConfigurationSourceError(
                f"the topology {self._path} has to be corrected:{listed}"
            ) from error


class DatabaseSource:
    """A node's rows in openPDC's tables; the last good ones are kept in a cache."""

    def __init__(
        self, login: database.Login, node: str | None, cache: TopologyCache | None
    ) -> None:
        self.name = f"the database {login.database} at {login.host}:{login.port}"
        self._login = login
        self._node = node
        self._cache = cache

    def first(self, limit_s: float) -> tuple[Topology, bool]:
        """Return the topology to begin with, and whether it is the database's.

        The database is asked first. If it does not answer at once, a topology in the cache
        is used; without one the database is waited for, `limit_s` at most. SourceError if
        there is none.
        """
        kept = self._cache.load() if self._cache else None
        try:
            return self._load(0.0 if kept else limit_s), True
        except ConfigurationSourceError as error:
            if kept is None:
                raise
            _LOG.warning(
                "%s. Using the configuration of %s UTC from the cache",
                str(error).rstrip("."),
                time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(kept[1])),
            )
            return kept[0], False

    def digest(self) -> str:
        """Return the checksums of the tables: a query that costs no more than a scan."""
        try:
            with database.connect(self._login) as connection, connection.cursor() as cursor:
                cursor.execute(f"CHECKSUM TABLE {', '.join(schema.names())}")
                return repr(cursor.fetchall())
        except (pymysql.MySQLError, OSError) as error:
            raise ConfigurationSourceError(database.reason(error)) from error

    def load(self) -> Topology:
        """Read the rows, and keep them in the cache."""
        return self._load(0.0)

    def _load(self, limit_s: float) -> Topology:
        try:
            with database.wait(self._login, limit_s) as connection:
                found = from_database(connection, self._node)
        except (database.DatabaseError, reading.NoSuchNodeError) as error:
            raise ConfigurationSourceError(str(error)) from error
        except (pymysql.MySQLError, OSError) as error:
            raise ConfigurationSourceError(database.reason(error)) from error
        if self._cache is not None:
            try:
                self._cache.save(found)
            except OSError as error:
                _LOG.warning(
                    "cannot keep the configuration in %s (%s): a restart will need the database",
                    self._cache.path,
                    error.strerror,
                )
        return found


def from_database(connection: database.Connection, node: str | None) -> Topology:
    """Read a node's configuration; without a name, that of the only node."""
    with connection.cursor() as cursor:
        if node is None:
            names = reading.nodes(cursor)
            if len(names) != 1:
                raise reading.NoSuchNodeError(
                    f"the database has {len(names)} nodes ({', '.join(names) or 'none'}): "
                    "name one with --node"
                )
            node = names[0]
        try:
            return reading.load(cursor, node)
        except ValueError as error:
            raise database.DatabaseError(
                f"the rows of node {node!r} are no configuration: {error}. "
                "Correct them, or run pdc apply"
            ) from error
