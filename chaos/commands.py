"""The kit's commands, run as a user runs them, and ended as a user or a machine ends them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UP_LIMIT_S = 600.0
"""How long `lab up` may take, whatever it finds."""
DOWN_LIMIT_S = 120.0
"""How long `lab down` may take."""
LOOK_LIMIT_S = 120.0
"""How long `lab status` and `lab heal` may take: a node that is gone costs them seconds."""
END_LIMIT_S = 30.0
"""How long a command may take to end after Ctrl-C or SIGTERM."""
LIMITS_S = {"up": UP_LIMIT_S, "restore": UP_LIMIT_S, "down": DOWN_LIMIT_S}
"""Verb to its limit; LOOK_LIMIT_S for the others."""
WITH_INVENTORY = ("preflight", "restore", "up")
"""Verbs that take --inventory and --set."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A command of the kit that has ended."""

    words: tuple[str, ...]
    """The command, without the options that name the lab."""
    code: int
    """Exit code; negative where a signal ended it, as Python has it."""
    output: str
    """What it printed to both streams."""
    seconds: float
    """How long it ran."""
    ended_by: str = ""
    """Name of the signal that it was sent; empty where it ended by itself."""
    late: bool = False
    """Whether it had to be killed, as its limit was over."""

    def __str__(self) -> str:
        sent = f" after {self.ended_by}" if self.ended_by else ""
        late = ", killed at its limit" if self.late else ""
        return f"lab {' '.join(self.words)}: code {self.code}{sent}, {self.seconds:.0f} s{late}"


class Running:
    """A command under way."""

    def __init__(self, words: Sequence[str], process: subprocess.Popen[bytes], log: Path) -> None:
        self._words = tuple(words)
        self._process = process
        self._log = log
        self._started = time.monotonic()

    def end(self, *, stop: signal.Signals | None = None, after_s: float = 0) -> Finished:
        """Wait for the end; `stop` is sent `after_s` seconds after the start."""
        sent = ""
        limit_s = LIMITS_S.get(self._words[0], LOOK_LIMIT_S)
        if stop is not None and not self.wait(after_s):
            sent = stop.name
            self._send(stop)
            limit_s = time.monotonic() - self._started + END_LIMIT_S
        late = not self.wait(limit_s)
        if late:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return Finished(
            words=self._words,
            code=self._process.returncode,
            output=self._log.read_text(errors="replace"),
            seconds=time.monotonic() - self._started,
            ended_by=sent,
            late=late,
        )

    def wait(self, limit_s: float) -> bool:
        """Tell whether it ends within `limit_s` seconds of its start."""
        try:
            self._process.wait(max(0.0, self._started + limit_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _send(self, number: signal.Signals) -> None:
        """Send Ctrl-C to the whole group, as a terminal does, and others to the command alone."""
        if number is signal.SIGINT:
            os.killpg(self._process.pid, number)
        else:
            self._process.send_signal(number)


class Kit:
    """The commands of one lab; what each prints is kept in `logs`.

    `up` are the options of `lab up` that say what the lab is, `temporary` becomes TMPDIR of all
    that is started, and `program` is what `lab` is called by.
    """

    def __init__(
        self,
        name: str,
        *,
        up: Sequence[str] = (),
        logs: Path,
        temporary: Path,
        program: Sequence[str] = (sys.executable, "-m", "lab"),
    ) -> None:
        self.name = name
        self._up = tuple(up)
        self._logs = logs
        self._temporary = temporary
        self._program = tuple(program)
        self._number = 0

    def start(self, *words: str) -> Running:
        """Start a command."""
        self._number += 1
        log = self._logs / f"{self._number:03}-{words[0]}.log"
        more = self._up if words[0] in WITH_INVENTORY else ()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self._program, words[0], "--name", self.name, *more, *words[1:]],
                env={**os.environ, "TMPDIR": str(self._temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own takes Ctrl-C alone; children of a shell's background ignore it.
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
        return Running(words, process, log)

    def run(self, *words: str, stop: signal.Signals | None = None, after_s: float = 0) -> Finished:
        """Run a command to its end; `stop` is sent `after_s` seconds after its start."""
        return self.start(*words).end(stop=stop, after_s=after_s)
