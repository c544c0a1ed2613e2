"""The command `pdc`."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pymysql

from grid.c37118 import FrameError
from grid.documents.document_error import DocumentError
from grid.pdc import configuration_source
from grid.pdc.attendant import attending, settings_file
from grid.pdc.openpdc import database, reading, store
from grid.pdc.outputs.mqtt_output import MqttError
from grid.pdc.topology import document
from grid.pdc.topology.cache import TopologyCache
from grid.pdc.topology.model import Topology
from service import log, run, version

_POLL_DATABASE_S = 10.0
_POLL_FILE_S = 1.0
_ENVIRONMENT = """environment:
  DB_HOST           MySQL server (localhost)
  DB_PORT           its port (3306)
  DB_USER           user of the PDC (openpdc)
  DB_PASSWORD       its password
  DB_ROOT_PASSWORD  root's password, for init
  MQTT_USER, MQTT_PASSWORD  login at the MQTT broker, where the topology has one"""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; ends with code 0 when it was stopped by a signal."""
    options = _parser().parse_args(arguments)
    log.configure()
    # The first process of a container has no default action for SIGTERM.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        options.action(options)
    except KeyboardInterrupt:
        sys.exit(0)
    except (
        configuration_source.ConfigurationSourceError,
        database.DatabaseError,
        reading.NoSuchNodeError,
        settings_file.SettingsFileError,
    ) as error:
        sys.exit(f"pdc: {error}")
    except (pymysql.MySQLError, OSError) as error:
        sys.exit(f"pdc: {options.command} failed: {database.reason(error)}")


def _init(options: argparse.Namespace) -> None:
    topology = _read(options.topology)
    login = database.Login.from_environ(options.database)
    root = database.wait(login.as_root(), options.wait)
    with root:
        database.create(root, login)
        root.select_db(options.database)
        changed = store.initialise(root, topology)
        node = store.node_id(root, topology.node)
    if options.openpdc:
        settings_file.write(options.openpdc, login, node)
    verb = "now holds" if changed else "held already"
    print(
        f"Database {options.database} at {login.host}:{login.port} {verb} node {topology.node}: "
        f"{len(topology.inputs)} inputs, {len(topology.pmus)} PMUs, user {login.user}."
    )


def _apply(options: argparse.Namespace) -> None:
    topology = _read(options.topology)
    login = database.Login.from_environ(options.database)
    with database.wait(login, options.wait) as connection:
        lines = store.update(connection, topology)
    print("\n".join(lines) or f"Database {options.database} says this already.")


def _serve(options: argparse.Namespace) -> None:
    # Here, because the other commands have no use for what takes a tenth of a second to load.
    from grid.pdc.service import PdcService, ServiceSettings  # noqa: PLC0415

    # Until there is something to reload.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = ServiceSettings(
        listen=options.listen,
        port=options.port,
        metrics_port=options.metrics_port,
        poll_s=_poll(options),
    )
    origin: configuration_source.FileSource | configuration_source.DatabaseSource
    if options.topology:
        origin, known = configuration_source.FileSource(options.topology), True
        topology = origin.load()
    else:
        cache = TopologyCache(options.cache) if options.cache else None
        login = database.Login.from_environ(options.database)
        origin = configuration_source.DatabaseSource(login, options.node, cache)
        topology, known = origin.first(options.wait)

    async def start() -> PdcService:
        service = PdcService(topology, settings, origin, known=known)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, service.watcher.reload)
        await service.start()
        return service

    try:
        sys.exit(asyncio.run(run.until_stopped(start)))
    except FrameError as error:
        sys.exit(f"pdc: this output cannot be written as C37.118: {error}. Change the topology.")
    except MqttError as error:
        sys.exit(f"pdc: {error}.")


def _poll(options: argparse.Namespace) -> float:
    if options.poll is not None:
        return float(options.poll)
    return _POLL_FILE_S if options.topology else _POLL_DATABASE_S


def _show(options: argparse.Namespace) -> None:
    login = database.Login.from_environ(options.database)
    with database.wait(login, options.wait) as connection:
        print(document.dumps(configuration_source.from_database(connection, options.node)), end="")


def _read(path: Path) -> Topology:
    try:
        return document.load(path)
    except OSError as error:
        sys.exit(f"pdc: cannot read the topology {path}: {error.strerror}. Check --topology.")
    except DocumentError as error:
        listed = "".join(f"\n  {problem}" for problem in error.problems)
        sys.exit(f"pdc: the topology {path} has to be corrected:{listed}")


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pdc",
        description="Concentrate C37.118 streams, configured in openPDC's MySQL tables.",
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version.add_option(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--database", required=True, help="name of the MySQL database")
    common.add_argument(
        "--wait",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="how long to wait for the database (300)",
    )
    node = argparse.ArgumentParser(add_help=False)
    node.add_argument("--node", help="openPDC node to use (the only one in the database)")

    init = commands.add_parser(
        "init", parents=[common], help="make database, user and tables, and write a topology"
    )
    init.add_argument("--topology", type=Path, required=True, help="YAML file")
    init.add_argument(
        "--openpdc",
        type=Path,
        metavar="FOLDER",
        help="put database and node into openPDC's settings file in this folder, too",
    )
    init.set_defaults(action=_init)

    apply = commands.add_parser(
        "apply", parents=[common], help="write a topology into the tables, and say what changed"
    )
    apply.add_argument("topology", type=Path, metavar="FILE", help="YAML file")
    apply.set_defaults(action=_apply)

    serve = commands.add_parser("serve", help="receive, align and send, until stopped")
    origin = serve.add_mutually_exclusive_group(required=True)
    origin.add_argument("--database", help="name of the MySQL database")
    origin.add_argument("--topology", type=Path, metavar="FILE", help="YAML file, and no database")
    serve.add_argument(
        "--wait",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="how long to wait for the database (300)",
    )
    serve.add_argument("--node", help="openPDC node to use (the only one in the database)")
    serve.add_argument("--port", type=int, help="TCP port (that of the configuration)")
    serve.add_argument("--listen", help="address to listen on (all)")
    serve.add_argument(
        "--cache", type=Path, metavar="FILE", help="keeps the database's last good configuration"
    )
    serve.add_argument(
        "--poll",
        type=float,
        metavar="SECONDS",
        help="how often to look for changes (database 10, file 1); 0: only on SIGHUP",
    )
    serve.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="serve /metrics, /healthz and /readyz"
    )
    serve.set_defaults(action=_serve)

    attending.add(commands, parents=[common, node])

    show = commands.add_parser(
        "show", parents=[common, node], help="print the configuration as YAML"
    )
    show.set_defaults(action=_show)
    return parser
