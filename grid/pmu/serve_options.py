"""The options of `pmu serve` and `pmu setup`, and the scenario that they describe."""

import argparse
from dataclasses import replace
from pathlib import Path

from grid.c37118 import Format
from grid.pmu.clock import KernelClock
from grid.pmu.scenario import captured, document, ipdc
from grid.pmu.scenario.model import PHASORS, Scenario, SimulatedPmu
from grid.pmu.scenario.pmu_channels import PmuChannels
from grid.pmu.signals.signal import LineLevel
from grid.transport.address import Address, AddressError

_OF_ONE = ("name", "rate", "format", "coordinates", "nominal")
"""Options that describe a single PMU; a scenario or a set-up file says these things itself."""


class OptionError(Exception):
    """Options contradict each other."""


def add_to(serve: argparse.ArgumentParser) -> None:
    """Add the options to the parser of `pmu serve`."""
    what = serve.add_argument_group("what is simulated (one of these)")
    _add_what(what)
    what.add_argument(
        "--ipdc", type=Path, action="append", help="set-up file of iPDC's simulator; repeatable"
    )
    what.add_argument(
        "--capture", type=Path, help="a capture with a C37.118 stream (--idcode says which)"
    )
    _add_choice(serve)
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
    single = _add_single(serve)
    single.add_argument("--format", choices=("float", "int"), help="(float)")
    single.add_argument(
        "--coordinates", choices=("rectangular", "polar"), help="of the phasors (rectangular)"
    )


def add_to_setup(setup: argparse.ArgumentParser) -> None:
    """Add the options to the parser of `pmu setup`: what of those of `pmu serve` a file can say."""
    _add_what(setup.add_mutually_exclusive_group(required=True))
    _add_choice(setup)
    setup.add_argument("--port", type=int, default=4712, help="TCP port (4712)")
    _add_single(setup)
    setup.set_defaults(
        **dict.fromkeys(("ipdc", "capture", "seed", "clock", "format", "coordinates", "listen")),
        address=[],
    )


def _add_what(what: argparse._ArgumentGroup) -> None:
    what.add_argument("--idcode", type=_idcode, help="a single PMU of this stream id, 1..65534")
    what.add_argument("--scenario", help="a scenario: file, or name of a shipped one")


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pmu", action="append", metavar="NAME", help="only this PMU of the scenario; repeatable"
    )


def _add_single(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    single = parser.add_argument_group("a single PMU (with --idcode)")
    single.add_argument("--name", help="station name, at most 16 characters (pmu-IDCODE)")
    single.add_argument("--rate", type=_rate, help="frames a second; -5 is one each 5 s (50)")
    single.add_argument("--nominal", type=int, choices=(50, 60), help="Hz (50)")
    return single


def scenario(options: argparse.Namespace) -> Scenario:
    """Return the scenario that the options describe.

    OptionError where they contradict each other, DocumentError where a file is wrong, OSError
    where a file or the kernel's clock cannot be read.
    """
    files = [options.scenario is not None, bool(options.ipdc), options.capture is not None]
    if sum(files) > 1:
        raise OptionError("--scenario, --ipdc and --capture exclude each other")
    if not any(files):
        if options.idcode is None:
            raise OptionError("one of --idcode, --scenario, --ipdc and --capture is needed")
        described = Scenario(
            pmus=(_single(options),), seed=1 if options.seed is None else options.seed
        )
    else:
        single = _OF_ONE if options.capture is not None else ("idcode", *_OF_ONE)
        given = [key for key in single if getattr(options, key) is not None]
        if given:
            raise OptionError(f"--{given[0]} is for a single PMU; the file says it")
        if options.scenario is not None:
            described = document.load(options.scenario)
        elif options.capture is not None:
            found = captured.read(options.capture, options.idcode)
            described = Scenario(captures=(replace(found, addresses=(Address(),)),))
        else:
            pmus = tuple(ipdc.pmu(ipdc.read(path)) for path in options.ipdc)
            described = Scenario(pmus=pmus)
        if options.seed is not None:
            described = replace(described, seed=options.seed)
    if options.clock == "kernel":
        described = replace(described, clock=KernelClock())
    return _chosen(options, described)


def _chosen(options: argparse.Namespace, scenario: Scenario) -> Scenario:
    """Return the scenario with the PMUs that --pmu names, and the addresses of the options."""
    if options.pmu:
        names = [pmu.name for pmu in scenario.pmus]
        unknown = sorted(set(options.pmu) - set(names))
        if unknown:
            raise OptionError(f"--pmu: {', '.join(unknown)} is none of {', '.join(names)}")
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
        raise OptionError(
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
