"""Running commands on this machine: one function, one result, one error."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a finished command left behind."""

    argv: tuple[str, ...]
    """The command, as it was run."""
    returncode: int
    """Its exit code; 124 where the time ran out."""
    stdout: str
    """Its standard output, decoded as UTF-8."""
    stderr: str
    """Its standard error, decoded as UTF-8."""

    @property
    def pasteable(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.argv)


class CommandError(Exception):
    """A command ended with another code than 0; `result` has all of it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        output = (result.stderr.strip() or result.stdout.strip())[-4000:]
        super().__init__(f"exit code {result.returncode}: {result.pasteable}\n{output}")


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

    `env` is added to this process's environment. With `check` a failure, a missing
    program or a time-out raises CommandError; without, the result tells.
    """
    words = tuple(os.fspath(word) for word in argv)
    try:
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            check=False,
        )
        result = Result(
            argv=words, returncode=done.returncode, stdout=done.stdout, stderr=done.stderr
        )
    except FileNotFoundError as error:
        result = Result(argv=words, returncode=127, stdout="", stderr=str(error))
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


def _text(output: bytes | str | None) -> str:
    if output is None:
        return ""
    return output.decode(errors="replace") if isinstance(output, bytes) else output
