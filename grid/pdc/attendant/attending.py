"""The command `pdc attend`."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from grid.pdc import configuration_source
from grid.pdc.openpdc import database
from service import run

_POLL_S = 10.0


def add(commands: Any, *, parents: list[argparse.ArgumentParser]) -> None:
    """Add the command to those of an argument parser."""
    attend = commands.add_parser(
        "attend",
        parents=parents,
        help="reload an openPDC when its tables change, and tell whether it serves",
    )
    attend.add_argument(
        "--openpdc", type=Path, required=True, metavar="FOLDER", help="the folder that it runs in"
    )
    attend.add_argument(
        "--poll",
        type=float,
        default=_POLL_S,
        metavar="SECONDS",
        help="how often to look for changes of the tables (10)",
    )
    attend.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="serve /metrics, /healthz and /readyz"
    )
    attend.set_defaults(action=_attend)


def _attend(options: argparse.Namespace) -> None:
    # Here, because the other commands have no use for what takes a tenth of a second to load.
    from grid.pdc.attendant.attendant_service import AttendantService  # noqa: PLC0415

    # Until there is something to reload.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    login = database.Login.from_environ(options.database)
    source = configuration_source.DatabaseSource(login, options.node, None)
    topology, _ = source.first(options.wait)

    async def start() -> AttendantService:
        service = AttendantService(
            topology,
            source,
            options.openpdc,
            poll_s=options.poll,
            metrics_port=options.metrics_port,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, service.watcher.reload)
        await service.start()
        return service

    sys.exit(asyncio.run(run.until_stopped(start)))
