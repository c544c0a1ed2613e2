"""python3 -m grid.inspect: the command `c37118`."""

from grid.inspect.cli import main

main()
