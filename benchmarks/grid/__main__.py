"""python3 -m benchmarks.grid: measure, and print one table."""

import argparse
import importlib
import sys

from benchmarks.grid.figure import Figure, machine, table

_PARTS = ("codec", "simulator", "concentrator")
_SECONDS = 10.0


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code is 1 where a target is not reached."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.grid", description="Measure what codec, simulator and concentrator reach."
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)} (all of them)"
    )
    parser.add_argument(
        "--seconds", type=float, default=_SECONDS, metavar="S", help="for each part (10)"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(_PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose from {_PARTS}")
    print(machine(), flush=True)
    figures: list[Figure] = []
    for part in options.parts or _PARTS:
        # Imported here, so that one part can be measured without what the others need.
        found: list[Figure] = importlib.import_module(f"benchmarks.grid.{part}").run(
            options.seconds
        )
        print(f"\n{part}\n{table(found)}", flush=True)
        figures += found
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
