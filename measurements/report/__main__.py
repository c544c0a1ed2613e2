"""`python -m measurements.report RUNDIR`: make results.json and index.html of a run again."""

import argparse
import sys
from pathlib import Path

from measurements import report, run_directory


def main() -> int:
    """Render the report of the run directory on the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m measurements.report", description=__doc__)
    parser.add_argument("rundir", type=Path, help="a run's directory, such as reports/latest")
    rundir: Path = parser.parse_args().rundir
    if why := run_directory.why_unreadable(rundir):
        print(why, file=sys.stderr)
        return 2
    run_directory.write_results(rundir)
    print(report.render(rundir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
