"""Print what a packet capture (pcap or pcapng) holds of C37.118.

python examples/read_capture.py tests/data/synchrophasor/captures/C37.118_1PMU_TCP.pcap
"""

import sys
from collections import Counter
from pathlib import Path

from grid import c37118
from grid.inspect import frame_sources
from grid.inspect.observed_frame import ObservedFrame


def main(path: Path) -> None:
    """Print each configuration, and count the frames of each kind and stream."""
    counts: Counter[str] = Counter()

    def see(seen: ObservedFrame) -> bool:
        counts[f"IDCODE {seen.idcode} {seen.type.name}"] += 1
        if isinstance(seen.frame, c37118.Configuration):
            for station in seen.frame.stations:
                print(f"{seen.source} sends {station.name}: {', '.join(station.phasors)}")
        return False  # True ends the reading.

    damage = frame_sources.recorded(path, see)
    for what, count in sorted(counts.items()):
        print(f"{count:6} {what}")
    for flow, found in damage.items():
        print(f"{flow}: {found.bad_crcs} wrong CRCs, {found.lost_bytes} bytes not recorded")


main(Path(sys.argv[1]))
