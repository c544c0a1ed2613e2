"""The option --version of a command."""

import argparse
from collections.abc import Sequence
from typing import Any

from service import __version__


def add_option(parser: argparse.ArgumentParser) -> None:
    """Give a command the option --version, which prints its name and the version."""
    parser.add_argument(
        "--version", action=_VersionAction, nargs=0, help="print the version and exit"
    )


class _VersionAction(argparse.Action):
    """Prints `NAME VERSION` and exits with code 0."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print and exit."""
        print(f"{parser.prog} {__version__}")
        parser.exit()
