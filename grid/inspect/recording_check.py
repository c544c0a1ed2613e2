"""Checks all streams of a capture or a live connection."""

from collections import defaultdict

from grid.c37118 import FrameType
from grid.inspect.findings import FindingKind, StreamReport
from grid.inspect.observed_frame import ObservedFrame
from grid.inspect.stream_check import StreamCheck


class RecordingCheck:
    """A StreamCheck for each stream, and for each of its receivers that was recorded."""

    def __init__(self) -> None:
        self._checks: dict[tuple[int, str, str], StreamCheck] = {}

    def take(self, observed: ObservedFrame) -> None:
        """Take one frame."""
        if observed.type in (FrameType.COMMAND, FrameType.HEADER):
            return
        # A sender may have its commands and its data at two ports of one address.
        host = observed.source.rpartition(":")[0] if observed.destination else observed.source
        key = (observed.idcode, host, observed.destination)
        if key not in self._checks:
            to = f" to {observed.destination}" if observed.destination else ""
            self._checks[key] = StreamCheck(f"IDCODE {observed.idcode} of {host}{to}")
        self._checks[key].take(observed)

    def reports(self) -> list[StreamReport]:
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
        shared = StreamReport(stream="all streams")
        for idcode, hosts in senders.items():
            if len(hosts) > 1:
                shared.add(
                    FindingKind.IDCODE, f"IDCODE {idcode} comes from {', '.join(sorted(hosts))}"
                )
        return [*reports, shared] if shared.findings else reports
