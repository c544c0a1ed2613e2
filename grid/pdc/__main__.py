"""python3 -m grid.pdc."""

from grid.pdc.cli import main

main()
