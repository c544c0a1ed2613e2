"""The `pdc` command, also as `python -m grid.pdc`."""

from service import process


def main() -> None:
    """Run the command in a process that is the same for every user."""
    process.settle()
    from grid.pdc.cli import main as run  # noqa: PLC0415 - PYTHONPATH is forgotten before

    run()


if __name__ == "__main__":
    main()
