"""python3 -m grid.pmu."""

from grid.pmu.cli import main

main()
