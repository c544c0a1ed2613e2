"""Running commands on this machine: one function, one result, one error."""

import errno
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.console.errors import LabError, shortened
from lab.host import environment

COMMAND_LIMIT = 1000
"""Characters of a command line that an error shows; scripts for a node are longer."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a finished command left behind."""

    argv: tuple[str, ...]
    """The command, as it was run."""
    returncode: int
    """Its exit code; 124 where the time ran out, 126 or 127 where it did not start."""
    stdout: str
    """Its standard output, decoded as UTF-8."""
    stderr: str
    """Its standard error, decoded as UTF-8."""

    @property
    def pasteable(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.argv)


class CommandError(LabError):
    """A command ended with another code than 0; `result` has all of it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__(
            f"A command ended with exit code {result.returncode}: "
            f"{shortened(result.pasteable, COMMAND_LIMIT)}",
            evidence=shortened(result.stderr.strip() or result.stdout.strip()),
        )


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    stdin: str = "",
    timeout_s: float | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
) -> Result:
    """Run `argv` to its end and return what it printed.

    `env` is added to the composed environment, not to this process's own. With
    `check` a failure, a missing program or a time-out raises CommandError; without, the
    result tells.
    """
    words = tuple(os.fspath(word) for word in argv)
    try:
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            env=environment.composed(**(env or {})),
            cwd=cwd,
            check=False,
        )
        result = Result(
            argv=words, returncode=done.returncode, stdout=done.stdout, stderr=done.stderr
        )
    except OSError as error:
        result = not_started(words, error)
    except subprocess.TimeoutExpired as error:
        result = Result(
            argv=words,
            returncode=124,
            stdout=_text(error.stdout),
            stderr=f"{_text(error.stderr)}\ngave up after {timeout_s:g} s",
        )
    if check and result.returncode != 0:
        raise CommandError(result)
    return result


def not_started(words: tuple[str, ...], error: OSError) -> Result:
    """Return what a shell says of a program that is missing (127), or can't be run (126)."""
    code = 127 if error.errno == errno.ENOENT else 126
    return Result(argv=words, returncode=code, stdout="", stderr=str(error))


def _text(output: bytes | str | None) -> str:
    if output is None:
        return ""
    return output.decode(errors="replace") if isinstance(output, bytes) else output
