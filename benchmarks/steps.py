"""How long each step of a command took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.console.progress import Step, Terminal


class StepTimes(Terminal):
    """Progress on the terminal that keeps how long each step took."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: list[tuple[str, float]] = []

    @contextmanager
    def step(self, title: str, *, limit_s: float | None = None) -> Iterator[Step]:
        """Show a step until its block ends, and keep its duration."""
        began = time.monotonic()
        with super().step(title, limit_s=limit_s) as step:
            yield step
        self._taken.append((title, time.monotonic() - began))

    def take(self) -> list[tuple[str, float]]:
        """Return title and seconds of each step that ended since the last call, in order."""
        taken, self._taken = self._taken, []
        return taken
