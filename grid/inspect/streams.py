"""Checking everything that a recording or a live connection holds."""

from collections import defaultdict

from grid.c37118 import FrameType
from grid.inspect.checks import StreamCheck
from grid.inspect.findings import Kind, Report
from grid.inspect.seen import Seen


class Checks:
    """A StreamCheck for each stream, and for each of its receivers that was recorded."""

    def __init__(self) -> None:
        self._checks: dict[tuple[int, str, str], StreamCheck] = {}

    def see(self, seen: Seen) -> None:
        """Take one frame."""
        if seen.type in (FrameType.COMMAND, FrameType.HEADER):
            return
        # A sender may have its commands and its data at two ports of one address.
        host = seen.source.rpartition(":")[0] if seen.destination else seen.source
        key = (seen.idcode, host, seen.destination)
        if key not in self._checks:
            to = f" to {seen.destination}" if seen.destination else ""
            self._checks[key] = StreamCheck(f"IDCODE {seen.idcode} of {host}{to}")
        self._checks[key].see(seen)

    def reports(self) -> list[Report]:
        """Return what was found, stream by stream; what concerns several comes last."""
        senders: defaultdict[int, set[str]] = defaultdict(set)
        sent: set[tuple[int, str]] = set()
        for (idcode, host, _), check in self._checks.items():
            senders[idcode].add(host)
            if check.frames:
                sent.add((idcode, host))
        reports = [
            check.report()
            for (idcode, host, _), check in self._checks.items()
            # Configurations that went by TCP while their data went by UDP are no stream.
            if check.frames or check.problems or (idcode, host) not in sent
        ]
        shared = Report(stream="all streams")
        for idcode, hosts in senders.items():
            if len(hosts) > 1:
                shared.add(Kind.IDCODE, f"IDCODE {idcode} comes from {', '.join(sorted(hosts))}")
        return [*reports, shared] if shared.findings else reports
