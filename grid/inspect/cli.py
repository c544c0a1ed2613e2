"""The command `c37118`."""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from grid.c37118 import ReceiverCounts, Violation
from grid.capture.conversations import Damage
from grid.inspect import document, frame_sources, text
from grid.inspect.findings import FindingKind, StreamReport
from grid.inspect.observed_frame import ObservedFrame
from grid.inspect.recording_check import RecordingCheck
from grid.transport.address import Address, AddressError, Transport
from service import log, version

_FINE, _FINDINGS, _CANNOT = 0, 1, 2
_INTERRUPTED = 130
_CHECK_S = 10.0


def main(arguments: list[str] | None = None) -> None:
    """Run the command; dump: 0 or 2; check: 0 fine, 1 something is wrong, 2 cannot check."""
    options = _parser().parse_args(arguments)
    log.configure()
    logging.getLogger("grid").setLevel(logging.ERROR)  # The command says itself what happens.
    try:
        _resolve(options)
        code = options.action(options)
        sys.stdout.flush()
    except (frame_sources.NoStreamError, AddressError) as error:
        print(f"c37118: {error}", file=sys.stderr)
        code = _CANNOT
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has closed it. Nothing is left to be flushed at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _FINE
    sys.exit(code)


def _resolve(options: argparse.Namespace) -> None:
    """Tell a file from an address: what exists is a file, a URL or HOST:PORT an address."""
    file = Path(options.target)
    options.live = not file.exists() and ("://" in options.target or ":" in file.name)
    options.file = file
    if options.live:
        options.address = Address.parse(options.target)
        if options.action is _check and options.seconds is None and options.count is None:
            options.seconds = _CHECK_S


def _dump(options: argparse.Namespace) -> int:
    limit = _Limit(options.count, options.seconds)
    show = document.line if options.json else text.text

    def on_frame(observed: ObservedFrame) -> bool:
        print(show(observed), flush=options.live)
        return limit.reached(observed)

    if not options.live:
        skipped = frame_sources.recorded(options.file, on_frame)
        for flow, damage in skipped.items():
            for what in _between(damage):
                print(f"c37118: {flow}: {what[1]}", file=sys.stderr)
        return _FINE
    _live(options, on_frame, lambda _, what: print(f"c37118: {what}", file=sys.stderr))
    return _FINE


def _check(options: argparse.Namespace) -> int:
    limit = _Limit(options.count, options.seconds)
    checks = RecordingCheck()

    def on_frame(observed: ObservedFrame) -> bool:
        checks.take(observed)
        return limit.reached(observed)

    around = StreamReport(stream="between the frames")
    if options.live:
        _received(around, _live(options, on_frame, lambda kind, what: None))
    else:
        for flow, damage in frame_sources.recorded(options.file, on_frame).items():
            for kind, what in _between(damage):
                around.add(kind, f"{flow}: {what}")
    reports = checks.reports()
    if not reports:
        raise frame_sources.NoStreamError("there are commands, and neither data nor configurations")
    if around.findings:
        reports.append(around)
    if options.json:
        print(json.dumps([report.document(options.allow) for report in reports], indent=1))
    else:
        print("\n".join(report.text(options.allow) for report in reports))
    wrong = any(report.unexcused(options.allow) for report in reports)
    return _FINDINGS if wrong else _FINE


def _between(damage: Damage) -> list[tuple[FindingKind, str]]:
    found = []
    if damage.bad_crcs:
        found.append((FindingKind.CRC, f"{damage.bad_crcs} frames with a wrong CRC"))
    if damage.skipped_bytes:
        found.append(
            (FindingKind.GARBAGE, f"{damage.skipped_bytes} bytes belong to no valid frame")
        )
    if damage.lost_bytes:
        found.append((FindingKind.CAPTURE, f"the capture lacks {damage.lost_bytes} bytes of it"))
    return found


def _received(report: StreamReport, counts: ReceiverCounts) -> None:
    """Add what a receiver counted."""
    for kind, count, what in (
        (FindingKind.CRC, counts.bad_crcs, "frames with a wrong CRC"),
        (FindingKind.GARBAGE, counts.skipped_bytes, "bytes belong to no valid frame"),
        (FindingKind.IDCODE, counts.wrong_idcodes, "frames carry another IDCODE"),
        (FindingKind.IDCODE, counts.strangers, "datagrams come from a second sender"),
        (
            FindingKind.CONFIGURATION,
            counts.contradictions,
            "data frames contradict the configuration",
        ),
        (FindingKind.CONFIGURATION, counts.bad_configurations, "configurations cannot be read"),
        (FindingKind.GAPS, counts.connections - 1, "times the stream was lost and came back"),
    ):
        if count > 0:
            report.add(kind, f"{count} {what}")


def _live(
    options: argparse.Namespace,
    on_frame: frame_sources.OnFrame,
    on_problem: Callable[[Violation, str], None],
) -> ReceiverCounts:
    address: Address = options.address
    if address.transport is not Transport.SPONTANEOUS and options.idcode is None:
        raise frame_sources.NoStreamError(
            f"{address} has to be asked by its IDCODE: add --idcode N"
        )
    return asyncio.run(
        frame_sources.live(
            address,
            options.idcode,
            on_frame,
            seconds=options.seconds,
            wait_s=options.wait,
            details=options.cfg3,
            on_problem=on_problem,
        )
    )


class _Limit:
    """The end that --count and --seconds set."""

    def __init__(self, count: int | None, seconds: float | None) -> None:
        self._left = count
        self._seconds = seconds
        self._start_ns: int | None = None

    def reached(self, observed: ObservedFrame) -> bool:
        """Count a frame, and tell whether it was the last one."""
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                return True
        if observed.t_ns is None or self._seconds is None:
            return False
        self._start_ns = observed.t_ns if self._start_ns is None else self._start_ns
        return observed.t_ns - self._start_ns >= self._seconds * 1e9


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="c37118", description="Look at IEEE C37.118 streams, recorded or live."
    )
    version.add_option(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "target",
        metavar="FILE|ADDRESS",
        help="a pcap or pcapng file, HOST:PORT, or a URL: tcp://, udp://, tcp+udp://, "
        "udp-spontaneous://",
    )
    common.add_argument("--idcode", type=int, metavar="N", help="the stream's id, if it is live")
    common.add_argument("--count", type=int, metavar="N", help="end after so many frames")
    common.add_argument("--json", action="store_true", help="for programs")
    common.add_argument("--cfg3", action="store_true", help="ask a live stream for CFG-3 too")
    common.add_argument(
        "--wait", type=float, default=5.0, metavar="S", help="for a live stream to begin (5)"
    )
    dump = commands.add_parser("dump", parents=[common], help="print frames")
    dump.add_argument("--seconds", type=float, metavar="S", help="end after so long")
    dump.set_defaults(action=_dump)
    check = commands.add_parser(
        "check", parents=[common], help="say what is wrong; exit code 0 nothing, 1 something"
    )
    check.add_argument(
        "--seconds", type=float, metavar="S", help="how long (10 live, all of a file)"
    )
    check.add_argument(
        "--allow",
        type=FindingKind,
        action="append",
        default=[],
        metavar="KIND",
        help=f"a kind of finding that is no error: {', '.join(FindingKind)}",
    )
    check.set_defaults(action=_check)
    return parser
