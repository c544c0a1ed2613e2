"""One bash that runs the blocks of a page, one after the other, as somebody would type them."""

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_DONE = b"the block ended\n"
_GRACE_S = 5.0
"""How long processes in the background may take to end."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a block."""

    problem: str
    """Why it failed, or nothing."""
    output: str
    """What it printed."""


class Shell:
    """A bash in `directory`, with nothing of this process' environment but `environment`.

    A command that fails ends it (`set -e -o pipefail`); what a block leaves in the background
    goes on until the shell is left.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="blocks-")
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._type("set -e -o pipefail\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(signal.SIGTERM)
        until = time.monotonic() + _GRACE_S
        while self._lives() and time.monotonic() < until:
            time.sleep(0.05)
        self._end(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        self._files.cleanup()

    def run(self, script: str, *, limit_s: float) -> Ran:
        """Run `script` and wait until it ends, `limit_s` seconds at most."""
        file = Path(self._files.name) / "block.sh"
        output = Path(self._files.name) / "output"
        file.write_text(script)
        self._type(f". {file} </dev/null >{output} 2>&1\necho '{_DONE.decode().strip()}'\n")
        problem = self._wait(limit_s)
        printed = output.read_text(errors="replace") if output.exists() else ""
        return Ran(problem=problem, output=printed)

    def _type(self, text: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already, which `_wait` tells
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()

    def _wait(self, limit_s: float) -> str:
        assert self._process.stdout is not None
        until = time.monotonic() + limit_s
        told = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(max(until - time.monotonic(), 0)):
                read = os.read(self._process.stdout.fileno(), 4096)
                told += read
                if told.endswith(_DONE):
                    return ""
                if not read:
                    return f"a command ended with exit code {self._process.wait()}"
        return f"it took longer than {limit_s:.0f} s"

    def _lives(self) -> bool:
        """Return whether a process of the shell's group is left."""
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _end(self, how: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
