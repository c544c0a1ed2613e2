"""The `c37118` command, also as `python -m grid.inspect`."""

from service import process


def main() -> None:
    """Run the command in a process that is the same for every user."""
    process.settle()
    from grid.inspect.cli import main as run  # noqa: PLC0415 - PYTHONPATH is forgotten before

    run()


if __name__ == "__main__":
    main()
