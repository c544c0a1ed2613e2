"""Where the PDC's configuration comes from: the database, or its copy on disk."""

import logging
import time

import pymysql

from grid.pdc import database, reading
from grid.pdc.cache import Cache
from grid.pdc.topology import Topology

_LOG = logging.getLogger(__name__)


def topology(
    login: database.Login, node: str | None, cache: Cache | None, limit_s: float
) -> Topology:
    """Return the configuration to run with.

    The database is asked first. If it does not answer at once, a configuration in the
    cache is used; without one the database is waited for, `limit_s` at most.
    DatabaseError if there is no configuration to be had.
    """
    kept = cache.load() if cache else None
    try:
        connection = database.wait(login, 0.0 if kept else limit_s)
        with connection:
            found = from_database(connection, node)
    except (database.DatabaseError, pymysql.MySQLError, OSError) as error:
        if kept is None:
            raise
        _LOG.warning(
            "%s. Using the configuration of %s UTC from the cache; restart to read the database",
            database.reason(error).rstrip("."),
            time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(kept[1])),
        )
        return kept[0]
    if cache is not None:
        try:
            cache.save(found)
        except OSError as error:
            _LOG.warning(
                "cannot keep the configuration in %s (%s): a restart will need the database",
                cache.path,
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
                f"the rows of node {node!r} are no configuration: {error}. Run pdc init again"
            ) from error
