"""The `lab` command, also as `python -m lab`."""

import sys

PACKAGES = ("experiment", "grid", "lab", "measurements", "service")
"""The packages of this distribution: one of these that is missing is a defect, not an extra."""


def main() -> None:
    """Run the command; where the extra `lab` is not installed, say so in one sentence."""
    try:
        from lab.commands.cli import main as run  # noqa: PLC0415 - it needs the extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in PACKAGES:
            raise
        sys.exit(
            f"error: The command `lab` needs the Python package {error.name}, which is not "
            "installed. Run: pip install 'blackstart[lab]'"
        )
    run()


if __name__ == "__main__":
    main()
