"""The option --version of a command."""

import argparse
from collections.abc import Sequence
from typing import Any

DISTRIBUTION = "blackstart"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Give a command the option --version, which prints its name and the version."""
    parser.add_argument(
        "--version", action=_VersionAction, nargs=0, help="print the version and exit"
    )


def version() -> str:
    """Return the version of the installed distribution; "unknown" in a bare source tree."""
    # Loaded here, because only --version needs it, and it takes a tenth of a command's start.
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"


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
        print(f"{parser.prog} {version()}")
        parser.exit()
