"""The base of all probes: threads with a start and an end that never fail the test."""

import abc
import functools
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from measurements import events, history
from service import threads

_PAUSE_AFTER_FAILURE_S = 0.5


class Probe(abc.ABC):
    """Runs its jobs in threads between start() and stop(), and records what they see.

    An exception that a job does not handle becomes a note in the history, and the job
    starts again. Nothing is recorded once stop() has returned, even where a thread is
    still waiting for an answer from a dead peer.
    """

    def __init__(self, recorder: history.Recorder, *, name: str) -> None:
        self.name = name
        """The probe's name in messages."""
        self._recorder = recorder
        self._stopped = threading.Event()
        self._gate = threading.Lock()
        self._threads: list[threading.Thread] = []

    @abc.abstractmethod
    def _jobs(self) -> Sequence[Callable[[], None]]:
        """Return the functions to run, one a thread; each returns once `_stopped` is set."""

    def _interrupt(self) -> None:  # noqa: B027 - most probes have no need of it
        """Wake up jobs that wait for a peer, where the probe can."""

    def start(self) -> Self:
        """Start the threads; a probe that runs already goes on."""
        if not self._threads:
            self._stopped.clear()
            for number, job in enumerate(self._jobs(), start=1):
                run = functools.partial(self._run, job)
                self._threads.append(threads.start(run, f"{self.name}-{number}"))
        return self

    def stop(self, *, limit_s: float = 5.0) -> None:
        """End the threads, waiting for them `limit_s` at most; may be called again."""
        with self._gate:
            self._stopped.set()
        self._interrupt()
        deadline = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._threads.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _record(self, body: events.Body, *, t_ns: int | None = None) -> None:
        with self._gate:
            if not self._stopped.is_set():
                self._recorder.record(body, t_ns=t_ns)

    def _run(self, job: Callable[[], None]) -> None:
        while not self._stopped.is_set():
            try:
                job()
            except Exception as error:
                text = f"{self.name}: {type(error).__name__}: {error}; the probe starts again"
                self._record(events.Note(text=text))
                self._stopped.wait(_PAUSE_AFTER_FAILURE_S)

    def _wait_until(
        self, done: Callable[[], bool], *, limit_s: float, what: str, evidence: Callable[[], str]
    ) -> None:
        """Wait for `done`; TimeoutError with `what`, limit and evidence when it stays away."""
        began = time.monotonic()
        while not done():
            elapsed = time.monotonic() - began
            if elapsed >= limit_s:
                raise TimeoutError(
                    f"{self.name}: {what} did not come in {elapsed:.0f} s "
                    f"(limit {limit_s:g} s); {evidence()}"
                )
            time.sleep(0.05)
