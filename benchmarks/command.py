"""A benchmark as a command: its errors are told as those of `lab` are."""

import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from lab.console import boundary


def run(main: Callable[..., None]) -> NoReturn:
    """Run `main` with the options of the command line, and end the process."""
    try:
        typer.run(main)
    except Exception as error:
        sys.exit(boundary.tell(error))
    sys.exit(0)
