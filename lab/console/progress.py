"""Progress on the terminal: which step runs, for how long, and how long it may.

On a terminal the running step's line is rewritten each second; elsewhere (CI,
a pipe) a line is printed when a step starts, when it has news, and when it ends.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from lab.console.errors import LabError


class Step(Protocol):
    """A step under way."""

    def update(self, news: str) -> None:
        """Show what the step waits for, or does, at this moment."""


class Progress(Protocol):
    """What shows steps to the user."""

    def step(self, title: str, *, limit_s: float | None = None) -> AbstractContextManager[Step]:
        """Open a step; `limit_s` is the longest that it may take, in seconds."""

    def note(self, line: str) -> None:
        """Print a line that stays."""


def duration(seconds: float) -> str:
    """Write a duration as people do: 4.2 s, 1 m 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} m {int(seconds % 60):02d} s"


class _Line:
    """The state of one step, as the renderer reads it."""

    def __init__(self, title: str, limit_s: float | None, tell: Callable[[str], None]) -> None:
        self.title = title
        self.limit_s = limit_s
        self.news = ""
        self.started = time.monotonic()
        self._tell = tell

    def update(self, news: str) -> None:
        if news != self.news:
            self.news = news
            self._tell(news)

    def __rich__(self) -> Text:
        limit = f" of at most {duration(self.limit_s)}" if self.limit_s else ""
        elapsed = duration(time.monotonic() - self.started)
        text = Text.assemble(
            ("  … ", "yellow"),
            self.title,
            (f"  {elapsed}{limit}", "dim"),
            ("  " + self.news, "dim"),
        )
        text.no_wrap = True
        text.overflow = "ellipsis"
        return text


class Terminal:
    """Progress for a person, or for a log where the output is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._depth = threading.local()
        self._live = threading.Lock()

    def note(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(Text(line))

    @contextmanager
    def step(self, title: str, *, limit_s: float | None = None) -> Iterator[Step]:
        """Show a step until its block ends, then how long it took.

        A step within a step, or beside one in another thread, is printed as lines:
        only one line of the terminal is rewritten.
        """
        if self._console.is_terminal and self._live.acquire(blocking=False):
            try:
                line = _Line(title, limit_s, lambda _news: None)
                with Live(line, console=self._console, refresh_per_second=4, transient=True):
                    yield from self._ended(line)
            finally:
                self._live.release()
        else:
            line = _Line(title, limit_s, lambda news: self.note(f"    {news}"))
            limit = f" (at most {duration(limit_s)})" if limit_s else ""
            self.note(f"  … {title}{limit}")
            yield from self._ended(line)

    def _ended(self, line: _Line) -> Iterator[Step]:
        try:
            yield line
        except BaseException as error:
            mark = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            self._end(line, "✗", "red", f"{mark} after ")
            raise
        self._end(line, "✓", "green", "")

    def _end(self, line: _Line, mark: str, style: str, how: str) -> None:
        elapsed = duration(time.monotonic() - line.started)
        self._console.print(
            Text.assemble((f"  {mark} ", style), line.title, (f"  {how}{elapsed}", "dim"))
        )


class Silent:
    """Progress that shows nothing; for tests."""

    def note(self, line: str) -> None:
        """Drop the line."""

    @contextmanager
    def step(self, title: str, *, limit_s: float | None = None) -> Iterator[Step]:
        """Run the block."""
        yield _Line(title, limit_s, lambda _news: None)


def wait(
    what: str,
    done: Callable[[], str | None],
    *,
    limit_s: float,
    step: Step,
    evidence: Callable[[], str] = lambda: "",
    cure: str = "",
    interval_s: float = 0.5,
) -> None:
    """Call `done` until it returns None; a string says what is still missing.

    When `limit_s` seconds are over, raise LabError with what was missing last and
    with `evidence()`.
    """
    started = time.monotonic()
    while missing := done():
        if time.monotonic() - started > limit_s:
            raise LabError(
                f"Waited {duration(limit_s)} for {what}; still missing: {missing}.",
                cure,
                evidence=evidence(),
            )
        step.update(missing)
        time.sleep(interval_s)
