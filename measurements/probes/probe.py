"""What all probes are: threads with a start and an end that never fail the test they serve."""

import abc
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from measurements import events, history

_PAUSE_AFTER_FAILURE_S = 0.5


class Probe(abc.ABC):
    """Runs its jobs in threads between start() and stop(), and records what they see.

    An exception that a job does not handle becomes a note in the history, and the job
    begins anew. Nothing is recorded once stop() has returned, even where a thread is
    still waiting for an answer from a dead peer.
    """

    def __init__(self, recorder: history.Recorder, *, name: str) -> None:
        self.name = name
        """How the probe is called in messages."""
        self._recorder = recorder
        self._stopped = threading.Event()
        self._gate = threading.Lock()
        self._threads: list[threading.Thread] = []

    @abc.abstractmethod
    def _jobs(self) -> Sequence[Callable[[], None]]:
        """Return the functions to run, one a thread; each returns once `_stopped` is set."""

    def _interrupt(self) -> None:  # noqa: B027 - most probes have no need of it
        """Wake up jobs that wait for a peer; for probes that have a way to."""

    def start(self) -> Self:
        """Start the threads; a probe that runs already goes on."""
        if not self._threads:
            self._stopped.clear()
            for number, job in enumerate(self._jobs(), start=1):
                thread = threading.Thread(
                    target=self._run, args=(job,), name=f"{self.name}-{number}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
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
                text = f"{self.name}: {type(error).__name__}: {error}; the probe begins anew"
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
