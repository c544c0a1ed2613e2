"""The command `pmu`."""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from grid.c37118 import Format, FrameError
from grid.documents.document_error import DocumentError
from grid.pmu.clock import KernelClock
from grid.pmu.scenario import captured, document, ipdc
from grid.pmu.scenario.model import PHASORS, Scenario, SimulatedPmu
from grid.pmu.scenario.pmu_channels import PmuChannels
from grid.pmu.signals.signal import LineLevel
from grid.pmu.simulator import Simulator
from grid.transport.address import Address, AddressError
from service import log, run, version

_OF_ONE = ("name", "rate", "format", "coordinates", "nominal")
"""Options that describe a single PMU; a scenario or a set-up file says these things itself."""


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
    log.configure()
    try:
        scenario = _scenario(options)
    except _OptionError as error:
        parser.error(str(error))
    except DocumentError as error:
        sys.exit(_wrong(options, error))
    except OSError as error:
        absent = isinstance(error, FileNotFoundError) and error.filename == options.scenario
        shipped = f"; shipped are {', '.join(document.shipped())}" if absent else ""
        what = error.filename or "the clock"
        sys.exit(f"pmu: cannot read {what}: {error.strerror or error}{shipped}")
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


class _OptionError(Exception):
    """Options contradict each other."""


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


def _scenario(options: argparse.Namespace) -> Scenario:
    """Return what the options ask for; _OptionError where they contradict each other."""
    files = [options.scenario is not None, bool(options.ipdc), options.capture is not None]
    if sum(files) > 1:
        raise _OptionError("--scenario, --ipdc and --capture exclude each other")
    if not any(files):
        if options.idcode is None:
            raise _OptionError("one of --idcode, --scenario, --ipdc and --capture is needed")
        scenario = Scenario(
            pmus=(_single(options),), seed=1 if options.seed is None else options.seed
        )
    else:
        single = _OF_ONE if options.capture is not None else ("idcode", *_OF_ONE)
        given = [key for key in single if getattr(options, key) is not None]
        if given:
            raise _OptionError(f"--{given[0]} is for a single PMU; the file says it")
        if options.scenario is not None:
            scenario = document.load(options.scenario)
        elif options.capture is not None:
            found = captured.read(options.capture, options.idcode)
            scenario = Scenario(captures=(replace(found, addresses=(Address(),)),))
        else:
            pmus = tuple(ipdc.pmu(ipdc.read(path)) for path in options.ipdc)
            scenario = Scenario(pmus=pmus)
        if options.seed is not None:
            scenario = replace(scenario, seed=options.seed)
    if options.clock == "kernel":
        scenario = replace(scenario, clock=KernelClock())
    return _chosen(options, scenario)


def _chosen(options: argparse.Namespace, scenario: Scenario) -> Scenario:
    """Return the scenario with the PMUs that --pmu names, and the addresses of the options."""
    if options.pmu:
        names = [pmu.name for pmu in scenario.pmus]
        unknown = sorted(set(options.pmu) - set(names))
        if unknown:
            raise _OptionError(f"--pmu: {', '.join(unknown)} is none of {', '.join(names)}")
        chosen = tuple(pmu for pmu in scenario.pmus if pmu.name in options.pmu)
        scenario = replace(scenario, pmus=chosen, captures=())
    addresses = list(options.address)
    single = options.idcode is not None and not addresses
    if options.port is not None or (options.listen and single):
        addresses.insert(0, Address(host=options.listen or "", port=options.port or 4712))
    if not addresses:
        return scenario
    count = len(scenario.pmus) + len(scenario.captures)
    if count > 1:
        raise _OptionError(
            f"--address and --port are for one PMU, and there are {count}; "
            "choose one with --pmu, or write the addresses into the scenario"
        )
    served = tuple(addresses)
    return replace(
        scenario,
        pmus=tuple(replace(pmu, addresses=served) for pmu in scenario.pmus),
        captures=tuple(replace(found, addresses=served) for found in scenario.captures),
    )


def _single(options: argparse.Namespace) -> SimulatedPmu:
    floats = options.format != "int"
    form = Format(
        polar=options.coordinates == "polar",
        float_phasors=floats,
        float_analogs=floats,
        float_frequency=floats,
    )
    return SimulatedPmu(
        channels=PmuChannels.scaled(
            name=options.name or f"pmu-{options.idcode}",
            idcode=options.idcode,
            form=form,
            nominal_hz=options.nominal or 50,
            level=LineLevel(),
            phasors=PHASORS,
        ),
        rate=options.rate or 50,
        addresses=(Address(),),
    )


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
    what = serve.add_argument_group("what is simulated (one of these)")
    what.add_argument("--idcode", type=_idcode, help="a single PMU of this stream id, 1..65534")
    what.add_argument("--scenario", help="a scenario: file, or name of a shipped one")
    what.add_argument(
        "--ipdc", type=Path, action="append", help="set-up file of iPDC's simulator; repeatable"
    )
    what.add_argument(
        "--capture", type=Path, help="a capture with a C37.118 stream (--idcode says which)"
    )
    serve.add_argument(
        "--pmu", action="append", metavar="NAME", help="only this PMU of the scenario; repeatable"
    )
    serve.add_argument("--seed", type=int, help="PMUs of one seed see the same grid (1)")
    serve.add_argument(
        "--clock",
        choices=("unknown", "kernel"),
        default="unknown",
        help="what frames say about the clock: nothing, or what the kernel claims (unknown)",
    )
    where = serve.add_argument_group("where it is served")
    where.add_argument(
        "--address",
        type=_address,
        action="append",
        default=[],
        metavar="URL",
        help="tcp://HOST:PORT, udp://, tcp+udp://, udp-spontaneous://; repeatable",
    )
    where.add_argument("--port", type=int, help="TCP port (4712)")
    where.add_argument("--listen", help="address that --port and --metrics-port listen on (all)")
    where.add_argument(
        "--metrics-port", type=int, default=0, help="TCP port of /metrics, /healthz, /readyz"
    )
    single = serve.add_argument_group("a single PMU (with --idcode)")
    single.add_argument("--name", help="station name, at most 16 characters (pmu-IDCODE)")
    single.add_argument("--rate", type=_rate, help="frames a second; -5 is one each 5 s (50)")
    single.add_argument("--format", choices=("float", "int"), help="(float)")
    single.add_argument(
        "--coordinates", choices=("rectangular", "polar"), help="of the phasors (rectangular)"
    )
    single.add_argument("--nominal", type=int, choices=(50, 60), help="Hz (50)")
    return parser


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except AddressError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _idcode(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 65534:
        raise argparse.ArgumentTypeError(f"{value} is not within 1..65534")
    return value


def _rate(text: str) -> int:
    value = int(text)
    if value == 0 or not -32768 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{value} is neither 1..1000 nor a number of seconds < 0")
    return value
