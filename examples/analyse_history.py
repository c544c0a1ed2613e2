"""Compute the recovery times of a recorded run from its history.

python examples/analyse_history.py reports/sample/history.jsonl
"""

import sys
from pathlib import Path

from measurements import cases, events, history, intervals


def main(path: Path) -> None:
    """Print each case's stages, and the API servers that told of a lost node."""
    for case in cases.split(history.read(path)):
        result = intervals.measure(case)
        print(f"{result.name}: {result.title}")
        for stage, interval in result.intervals.items():
            if interval.seconds is not None:
                lines = ", ".join(map(str, interval.lines))
                print(f"  {stage:<10}{interval.seconds:8.2f} s   (line {lines})")
        if result.frames:
            print(f"  frames lost {result.frames.lost} of {result.frames.expected}")
        # The events themselves answer questions that the report does not ask.
        lost = [
            (event, node)
            for event, node in cases.of_kind(case.events, events.NodeSeen)
            if node.ready != "True"
        ]
        for event, node in lost[:3]:
            print(f"  {node.name} {node.ready} at {case.seconds(event):.2f} s, told by {node.via}")


main(Path(sys.argv[1]))
