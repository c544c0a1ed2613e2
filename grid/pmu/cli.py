"""The command `pmu`."""

import argparse
import asyncio
import sys
from pathlib import Path

from grid.c37118 import FrameError
from grid.documents.document_error import DocumentError
from grid.pmu import serve_options
from grid.pmu.scenario import document, ipdc_writer
from grid.pmu.scenario.model import Scenario
from grid.pmu.simulator import Simulator
from service import log, run, version


def main(arguments: list[str] | None = None) -> None:
    """Run the command; ends with code 0 when it was stopped by a signal."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "scenarios":
        for name in document.shipped():
            print(f"{name:<20}{_title(name)}")
        return
    if options.command == "signals":
        _signals(options.file)
        return
    if options.command == "serve":
        log.configure()
    try:
        scenario = serve_options.scenario(options)
    except serve_options.OptionError as error:
        parser.error(str(error))
    except DocumentError as error:
        sys.exit(_wrong(options, error))
    except OSError as error:
        absent = isinstance(error, FileNotFoundError) and error.filename == options.scenario
        shipped = f"; shipped are {', '.join(document.shipped())}" if absent else ""
        what = error.filename or "the clock"
        sys.exit(f"pmu: cannot read {what}: {error.strerror or error}{shipped}")
    if options.command == "setup":
        _setup(options, scenario)
        return
    try:
        simulator = Simulator(scenario)
    except FrameError as error:
        sys.exit(f"pmu: this PMU cannot be written as C37.118: {error}. Change the option.")
    run.allow_open_files()
    try:
        code = asyncio.run(
            run.until_stopped(lambda: _serve(simulator, options.listen, options.metrics_port))
        )
    except OSError as error:
        sys.exit(f"pmu: {error.strerror or error}")
    sys.exit(code)


def _wrong(options: argparse.Namespace, error: DocumentError) -> str:
    """Return what is wrong with the file that an option names."""
    if options.scenario is not None:
        return "\n".join([f"pmu: {options.scenario} is wrong:", *error.problems])
    if options.capture is not None:
        return f"pmu: cannot use {options.capture}: {error}"
    return f"pmu: {error}"


class _Served:
    """A simulator, and its metrics server if there is one."""

    def __init__(self, services: list[run.Service]) -> None:
        self._services = services

    async def close(self) -> None:
        for service in self._services:
            await service.close()


async def _serve(simulator: Simulator, listen: str | None, metrics_port: int) -> run.Service:
    services: list[run.Service] = [simulator]
    if metrics_port:
        # Prometheus' library is loaded only where the metrics are served.
        from grid.pmu import metrics  # noqa: PLC0415

        server = metrics.metrics_server(simulator)
        await server.start(listen, metrics_port)
        services.append(server)
    await simulator.open()
    return _Served(services)


def _setup(options: argparse.Namespace, scenario: Scenario) -> None:
    (pmu,) = scenario.pmus
    try:
        made = ipdc_writer.setup(pmu, udp_port=options.udp_port, tcp_port=options.port)
        options.file.write_bytes(ipdc_writer.encode(made))
    except FrameError as error:
        sys.exit(f"pmu: iPDC's simulator can't take the place of {pmu.name}: {error}")
    except OSError as error:
        sys.exit(f"pmu: cannot write {options.file}: {error.strerror or error}")


def _signals(path: Path) -> None:
    # With its libraries, which only this command needs.
    from grid.pmu.signals import two_area  # noqa: PLC0415

    try:
        two_area.write(path)
    except ImportError as error:
        sys.exit(f"pmu: {error}. ANDES is an optional extra: pip install blackstart[andes]")
    except OSError as error:
        sys.exit(f"pmu: cannot write {path}: {error.strerror or error}")


def _title(name: str) -> str:
    """Return the first line of a shipped scenario, which is a comment."""
    text = (document.SHIPPED / f"{name}.yml").read_text(encoding="utf-8")
    return text.partition("\n")[0].lstrip("# ")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pmu", description="Simulate PMUs.")
    version.add_option(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser("scenarios", help="list the scenarios that come with this package")
    signals = commands.add_parser("signals", help="simulate a grid with ANDES, for a recording")
    signals.add_argument("file", type=Path, help="CSV to write")
    serve = commands.add_parser("serve", help="serve C37.118 streams")
    serve_options.add_to(serve)
    setup = commands.add_parser("setup", help="write a PMU's set-up file of iPDC's simulator")
    setup.add_argument("file", type=Path, help="file to write, such as pmu.bin")
    serve_options.add_to_setup(setup)
    setup.add_argument("--udp-port", type=int, default=15000, help="UDP port (15000)")
    return parser
