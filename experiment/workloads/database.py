"""The database behind the PDCs, as a client outside the cluster sees it."""

import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pymysql
from kubernetes import client

from lab.cluster.api import NAMESPACE, Cluster
from lab.cluster.outlets import MYSQL_PORT

USER = "root"
TIMEOUT_S = 5
CONFIGURATION = ("lower", "higher")
"""The databases that hold the PDCs' configuration."""

Rows = Mapping[str, tuple[tuple[object, ...], ...]]
"""Table, as database.table, to all its rows in a fixed order."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """MySQL on the NodePorts of the lab."""

    hosts: tuple[str, ...]
    """Addresses of the nodes."""
    password: str = field(repr=False)
    """Root's password."""

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it answers."""
        return [(host, MYSQL_PORT) for host in self.hosts]

    def configuration(self) -> Rows:
        """Return every row of the PDCs' configuration."""
        with (
            contextlib.closing(
                pymysql.connect(
                    host=self.hosts[0],
                    port=MYSQL_PORT,
                    user=USER,
                    password=self.password,
                    connect_timeout=TIMEOUT_S,
                    read_timeout=TIMEOUT_S,
                )
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_schema IN %s AND table_type = 'BASE TABLE' ORDER BY 1, 2",
                (CONFIGURATION,),
            )
            found = {}
            for schema, table in cursor.fetchall():
                cursor.execute(f"SELECT * FROM `{schema}`.`{table}`")  # noqa: S608
                found[f"{schema}.{table}"] = tuple(sorted(cursor.fetchall(), key=repr))
            return found


def of(cluster: Cluster) -> Database:
    """Return the database of `cluster`, with the password that its Secret holds."""
    core = client.CoreV1Api(cluster.api())
    secret = core.read_namespaced_secret("mysql", NAMESPACE, _request_timeout=TIMEOUT_S)
    return Database(
        # Servers first: no case of this suite cuts one off.
        hosts=tuple(node.address for node in cluster.nodes),
        password=base64.b64decode(secret.data["root-password"]).decode(),
    )
