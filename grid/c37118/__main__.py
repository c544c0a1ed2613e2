"""python3 -m grid.c37118: the command `c37118`."""

from grid.inspect.cli import main

main()
