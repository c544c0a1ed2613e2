import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.artefacts import jobs
from lab.artefacts.jobs import Job, Jobs, StoppedError
from lab.console.errors import LabError
from lab.console.progress import Silent
from lab.host.command import CommandError

SLEEPS_WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


class Recorder:
    """A step that keeps what it is told."""

    def __init__(self) -> None:
        self.news: list[str] = []

    def update(self, news: str) -> None:
        self.news.append(news)


def run_all(work: list[tuple[str, Callable[[Job], object]]], *, limit_s: float = 60) -> None:
    with Jobs(Recorder(), Silent()) as all_jobs:
        for number, (lane, one) in enumerate(work):
            all_jobs.add(lane, f"job {number}", one)
        all_jobs.wait(limit_s=limit_s)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            # A zombie of another parent has ended as well.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):  # the latter where it ends while it is read
            return True
        time.sleep(0.02)
    return False


def test_lines_come_as_they_are_printed() -> None:
    lines: list[str] = []

    result = Job("t").run(
        [sys.executable, "-c", "import sys; print('one'); print('two', file=sys.stderr)"],
        limit_s=30,
        on_line=lines.append,
    )

    assert sorted(lines) == ["one", "two"]
    assert sorted(result.stdout.split()) == ["one", "two"]


def test_a_failure_carries_the_output() -> None:
    with pytest.raises(CommandError, match="exit code 3") as caught:
        Job("t").run([sys.executable, "-c", "print('why'); raise SystemExit(3)"], limit_s=30)

    assert "why" in str(caught.value)


def test_a_missing_program_is_an_exit_code() -> None:
    with pytest.raises(CommandError, match="exit code 127"):
        Job("t").run(["no-such-program-anywhere"], limit_s=1)


def test_the_limit_ends_the_command_with_its_children() -> None:
    lines: list[str] = []

    with pytest.raises(CommandError, match="exit code 124"):
        Job("t").run([sys.executable, "-c", SLEEPS_WITH_CHILD], limit_s=1.5, on_line=lines.append)

    assert gone(int(lines[0]))


def test_silence_ends_the_command_and_a_word_now_and_then_does_not() -> None:
    talks = "import time\nfor _ in range(8): print('here', flush=True); time.sleep(0.5)"
    Job("t").run([sys.executable, "-c", talks], limit_s=60, silence_s=3)

    with pytest.raises(CommandError, match="exit code 124") as caught:
        Job("t").run([sys.executable, "-c", SLEEPS_WITH_CHILD], limit_s=60, silence_s=1)
    assert caught.value.result.stderr == "gave up after 1 s without a word"


def test_a_command_that_ignores_the_kind_signal_is_killed(monkeypatch) -> None:
    monkeypatch.setattr(jobs, "_GRACE_S", 0.2)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    began = time.monotonic()

    with pytest.raises(CommandError, match="exit code 124"):
        Job("t").run([sys.executable, "-c", stubborn], limit_s=1)

    assert time.monotonic() - began < 10


def test_lanes_run_beside_each_other() -> None:
    met = threading.Barrier(2)
    with Jobs(Recorder(), Silent()) as all_jobs:
        first = all_jobs.add("a", "first", lambda _job: met.wait(10))
        second = all_jobs.add("b", "second", lambda _job: met.wait(10))
        all_jobs.wait(limit_s=10)

    assert {first.result(), second.result()} == {0, 1}


def test_a_failure_stops_the_others_and_is_raised() -> None:
    pids: list[str] = []

    def long(job: Job) -> None:
        job.run([sys.executable, "-c", SLEEPS_WITH_CHILD], limit_s=60, on_line=pids.append)

    def fails(_job: Job) -> None:
        while not pids:
            time.sleep(0.01)
        raise LabError("the mirror is gone")

    never: list[str] = []
    began = time.monotonic()
    with pytest.raises(LabError, match="the mirror is gone"):
        run_all([("a", long), ("a", lambda _job: never.append("ran")), ("b", fails)])

    assert time.monotonic() - began < 10
    assert gone(int(pids[0]))
    assert never == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_all() -> None:
    pids: list[str] = []

    def long(job: Job) -> None:
        job.run([sys.executable, "-c", SLEEPS_WITH_CHILD], limit_s=60, on_line=pids.append)

    def interrupts(_job: Job) -> None:
        while not pids:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_all([("a", long), ("b", interrupts)])

    assert gone(int(pids[0]))


def test_a_stopped_job_ends_where_it_speaks() -> None:
    stop = threading.Event()
    job = Job("t", stop=stop)
    job.update("still here")
    stop.set()

    with pytest.raises(StoppedError):
        job.update("too late")


def test_too_long_says_what_was_under_way() -> None:
    released = threading.Event()

    def slow(job: Job) -> None:
        job.update("counting sheep")
        released.wait(1)

    with pytest.raises(LabError, match=r"not ready after 0\.3 s: job 0: counting sheep"):
        run_all([("a", slow)], limit_s=0.3)


def test_news_of_all_lanes_is_one_line_and_not_a_flood(monkeypatch) -> None:
    clock = Clock()
    monkeypatch.setattr(jobs.time, "monotonic", clock)
    step = Recorder()
    all_jobs = Jobs(step, Silent())
    notify = notifier_of(all_jobs)

    notify("a", "1 of 9")
    notify("b", "begins")
    notify("a", "2 of 9")
    clock.now += jobs.NEWS_S
    notify("a", "3 of 9")

    assert step.news == ["a: 1 of 9", "a: 1 of 9 · b: begins", "a: 3 of 9 · b: begins"]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def notifier_of(all_jobs: Jobs) -> Callable[[str, str], None]:
    return lambda title, text: all_jobs._show(title, f"{title}: {text}")
