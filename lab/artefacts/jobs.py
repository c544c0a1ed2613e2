"""Jobs that run beside each other, shown as one line, and stopped together."""

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from pathlib import Path
from typing import TypeVar

from lab.console.errors import LabError
from lab.console.progress import Progress, Step, duration
from lab.host import environment
from lab.host.command import CommandError, Result, not_started
from service import threads

T = TypeVar("T")

NEWS_S = 3.0
"""How often a job's news is shown, at most: a log of a build needs no line per package."""
_GRACE_S = 15.0
_HEAD_LINES = 100
_TAIL_LINES = 300
"""What is kept of a long output: its beginning, where a reason often stands, and its end."""


class StoppedError(Exception):
    """The job shall end: another one failed, or the user asked."""


class Job:
    """One piece of work: what it says, and the commands it runs."""

    def __init__(
        self,
        title: str,
        *,
        notify: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.title = title
        self._notify = notify
        self._stop = stop or threading.Event()

    def update(self, text: str) -> None:
        """Show what the job does now. Raises StoppedError where it shall do nothing more."""
        if self._stop.is_set():
            raise StoppedError(self.title)
        if self._notify is not None:
            self._notify(f"{self.title}: {text}")

    def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        limit_s: float,
        silence_s: float = math.inf,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Result:
        """Run a command to its end, hand each line of its output to `on_line`.

        Standard output and error come together, in `Result.stdout`, the first and the
        last lines. Raises CommandError on failure, after `limit_s` seconds, or after `silence_s`
        seconds without a line; StoppedError, after ending the command and all its children,
        when the jobs are stopped.
        """
        words = tuple(os.fspath(word) for word in argv)
        head: list[str] = []
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        process = _start(words, env, cwd)
        began_s = heard_s = time.monotonic()
        late = ""

        def hear(line: str) -> None:
            nonlocal heard_s
            heard_s = time.monotonic()
            (tail if len(head) == _HEAD_LINES else head).append(line)
            if on_line is not None:
                with contextlib.suppress(StoppedError):
                    on_line(line)

        reader = threads.start(lambda: _read(process, hear), f"output of {words[0]}")
        try:
            while process.poll() is None and not late:
                if self._stop.wait(0.1):
                    raise StoppedError(self.title)
                if time.monotonic() - began_s > limit_s:
                    late = f"gave up after {limit_s:g} s"
                elif time.monotonic() - heard_s > silence_s:
                    late = f"gave up after {silence_s:g} s without a word"
        finally:
            _end(process)
            reader.join(5)
        result = Result(
            argv=words,
            returncode=124 if late else process.returncode,
            stdout="\n".join([*head, *tail]),
            stderr=late,
        )
        if result.returncode != 0:
            raise CommandError(result)
        return result


class Jobs:
    """Queues of jobs: those of one queue run in sequence, the queues in parallel."""

    def __init__(self, step: Step, progress: Progress) -> None:
        self._step = step
        self._progress = progress
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        self._began: dict[str, float] = {}
        self._shown = 0.0
        self._queues: dict[str, futures.ThreadPoolExecutor] = {}
        self._all: list[futures.Future[object]] = []

    def __enter__(self) -> "Jobs":
        return self

    def __exit__(self, *exception: object) -> None:
        if exception[0] is not None:
            self._stop.set()
        for queue in self._queues.values():
            queue.shutdown(cancel_futures=True)

    def add(self, queue: str, title: str, work: Callable[[Job], T]) -> "futures.Future[T]":
        """Queue `work` in a queue; it may wait for futures of other queues."""
        if queue not in self._queues:
            self._queues[queue] = futures.ThreadPoolExecutor(1, thread_name_prefix=queue)
        future = self._queues[queue].submit(self._do, title, work)
        self._all.append(future)  # type: ignore[arg-type]
        return future

    def wait(self, *, limit_s: float) -> None:
        """Wait for all jobs; raise the first failure, after which the others are stopped."""
        done, pending = futures.wait(
            self._all, timeout=limit_s, return_when=futures.FIRST_EXCEPTION
        )
        for future in done:
            future.result()
        if pending:
            raise LabError(
                f"Binaries and images were not ready after {duration(limit_s)}: "
                + "; ".join(self._texts.values()),
                "Run it again: what is finished is kept in the cache.",
            )

    def _do(self, title: str, work: Callable[[Job], T]) -> T:
        if self._stop.is_set():
            raise StoppedError(title)
        try:
            result = work(Job(title, notify=lambda text: self._show(title, text), stop=self._stop))
        finally:
            with self._lock:
                self._texts.pop(title, None)
                began = self._began.pop(title, None)
        # From its first word on: before, it waited for others. What the cache had says none.
        if began is not None:
            self._progress.note(f"    {title}: {duration(time.monotonic() - began)}")
        return result

    def _show(self, title: str, text: str) -> None:
        with self._lock:
            new = title not in self._texts
            self._began.setdefault(title, time.monotonic())
            self._texts[title] = text
            if not new and time.monotonic() - self._shown < NEWS_S:
                return
            self._shown = time.monotonic()
            line = " · ".join(self._texts.values())
        self._step.update(line)


def _start(
    words: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None
) -> "subprocess.Popen[str]":
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=environment.composed(**(env or {})),
            cwd=cwd,
            # A group of its own, so that its children end with it; not a session,
            # for sudo knows its user by the terminal.
            process_group=0,
        )
    except OSError as error:
        raise CommandError(not_started(tuple(words), error)) from error


def _read(process: "subprocess.Popen[str]", hear: Callable[[str], None]) -> None:
    assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
    with process.stdout as output:
        for line in output:
            hear(line.rstrip("\n"))


def _end(process: "subprocess.Popen[str]") -> None:
    """End the command's whole process group: SIGTERM first, then SIGKILL."""
    for number, patience_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        # What sudo started cannot be signalled by its user, and is waited for.
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
