"""The `lab` command, also as `python -m lab`."""

import os
import sys

from lab.console import boundary, interruption
from service import process


def main() -> None:
    """Run the command; whatever goes wrong outside of a verb is one sentence, too."""
    process.settle()
    interruption.end_like_ctrl_c()
    if "_LAB_COMPLETE" in os.environ:
        from lab.commands.completion import answer  # noqa: PLC0415 - only for a shell's Tab

        if answer.wanted(os.environ):
            sys.exit(answer.main(os.environ))
    try:
        from lab.commands.cli import main as run  # noqa: PLC0415 - it needs the extra `lab`

        run()
    except KeyboardInterrupt:
        sys.exit(boundary.INTERRUPTED)
    except Exception as error:
        sys.exit(boundary.tell(error))


if __name__ == "__main__":
    main()
