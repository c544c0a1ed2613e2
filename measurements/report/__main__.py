"""`python -m measurements.report RUNDIR`: make results.json and index.html of a run anew."""

import argparse
import sys
from pathlib import Path

from measurements import report, run


def main() -> int:
    """Render the report of the run directory on the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m measurements.report", description=__doc__)
    parser.add_argument("rundir", type=Path, help="a run's directory, such as reports/latest")
    rundir: Path = parser.parse_args().rundir
    if not (rundir / "history.jsonl").is_file():
        print(
            f"{rundir} holds no history.jsonl, so it is no run. "
            "Give a directory that `pytest -m failover` made, such as reports/latest.",
            file=sys.stderr,
        )
        return 2
    run.write_results(rundir)
    print(report.render(rundir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
