"""The command `pmu`."""

import argparse
import asyncio
import sys

from grid import log, run
from grid.c37118 import Format, FrameError
from grid.pmu.simulator import Settings, Simulator


def main(arguments: list[str] | None = None) -> None:
    """Run the command; ends with code 0 when it was stopped by a signal."""
    options = _parser().parse_args(arguments)
    log.configure()
    floats = options.format == "float"
    settings = Settings(
        idcode=options.idcode,
        name=options.name or f"pmu-{options.idcode}",
        rate=options.rate,
        nominal_hz=options.nominal,
        format=Format(
            polar=options.coordinates == "polar",
            float_phasors=floats,
            float_analogs=floats,
            float_frequency=floats,
        ),
        seed=options.seed,
    )
    try:
        simulator = Simulator(settings)
    except FrameError as error:
        sys.exit(f"pmu: this PMU cannot be written as C37.118: {error}. Change the option.")
    try:
        code = asyncio.run(
            run.until_stopped(lambda: _serve(simulator, options.listen, options.port))
        )
    except OSError as error:
        where = f"port {options.port}" + (f" of {options.listen}" if options.listen else "")
        sys.exit(f"pmu: cannot listen on {where}: {error.strerror or error}. Choose another.")
    sys.exit(code)


async def _serve(simulator: Simulator, listen: str | None, port: int) -> Simulator:
    await simulator.open(listen, port)
    return simulator


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pmu", description="Simulate a PMU.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve one C37.118 stream on TCP")
    serve.add_argument("--idcode", type=_idcode, required=True, help="stream id, 1..65534")
    serve.add_argument("--name", help="station name, at most 16 characters (pmu-IDCODE)")
    serve.add_argument(
        "--rate", type=_rate, default=50, help="frames a second; -5 is one each 5 s (50)"
    )
    serve.add_argument("--port", type=int, default=4712, help="TCP port (4712)")
    serve.add_argument("--listen", help="address to listen on (all)")
    serve.add_argument("--format", choices=("float", "int"), default="float", help="(float)")
    serve.add_argument(
        "--coordinates",
        choices=("rectangular", "polar"),
        default="rectangular",
        help="of the phasors (rectangular)",
    )
    serve.add_argument("--nominal", type=int, choices=(50, 60), default=50, help="Hz (50)")
    serve.add_argument("--seed", type=int, default=1, help="PMUs of one seed see the same grid (1)")
    return parser


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
