"""What was done and what came of it, printed as it goes and kept as JSON lines."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from chaos.commands import Finished


class Trace:
    """The trace of one run, in a file of JSON lines."""

    def __init__(self, file: Path, out: TextIO) -> None:
        self.file = file
        self._out = out
        self._started = time.monotonic()

    def header(self, **facts: Any) -> None:
        """Write what the run was started with."""
        self._write({"run": facts})
        self._print("  ".join(f"{name} {value}" for name, value in facts.items()))

    def action(self, number: int, said: str, arguments: Mapping[str, Any]) -> None:
        """Write that an action begins."""
        self._write({"action": number, "at_s": self._at(), "does": said, **arguments})
        self._print(f"{self._at():7.1f} s  {number:3}  {said}")

    def command(self, done: Finished) -> None:
        """Write that a command of the kit has ended."""
        facts = {"code": done.code, "seconds": round(done.seconds, 1), "sent": done.ended_by}
        self._write({"command": " ".join(done.words), "at_s": self._at(), **facts})
        self._print(f"{self._at():7.1f} s         {done}")

    def note(self, line: str) -> None:
        """Write anything else."""
        self._write({"note": line, "at_s": self._at()})
        self._print(f"{self._at():7.1f} s         {line}")

    def problems(self, found: Sequence[str]) -> None:
        """Write what is not as it must be."""
        self._write({"problems": list(found), "at_s": self._at()})
        for problem in found:
            self._print(f"{self._at():7.1f} s       ✗ {problem}")

    def _at(self) -> float:
        return round(time.monotonic() - self._started, 1)

    def _write(self, record: Mapping[str, Any]) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def _print(self, line: str) -> None:
        print(line, file=self._out, flush=True)
