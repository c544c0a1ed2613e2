import io

import pytest
from rich.console import Console

from lab.console.errors import LabError
from lab.console.progress import Silent, Terminal, duration, wait


def terminal():
    stream = io.StringIO()
    return stream, Terminal(Console(file=stream, width=200))


def test_step_tells_limit_news_and_end():
    stream, progress = terminal()
    with progress.step("Boot 4 nodes", limit_s=60) as step:
        step.update("server-1")
        step.update("server-1")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "  … Boot 4 nodes (at most 1 m 00 s)"
    assert lines[1] == "    server-1"
    assert lines[2].startswith("  ✓ Boot 4 nodes  ")
    assert len(lines) == 3


def test_failed_step_says_so_and_passes_the_error_on():
    stream, progress = terminal()
    with pytest.raises(LabError), progress.step("Boot"):
        raise LabError("no")
    assert "✗ Boot  failed after" in stream.getvalue()


def test_interrupted_step_is_not_called_failed():
    stream, progress = terminal()
    with pytest.raises(KeyboardInterrupt), progress.step("Boot"):
        raise KeyboardInterrupt
    assert "stopped after" in stream.getvalue()


def test_wait_ends_when_nothing_is_missing():
    answers = iter(["two", "one", None])
    with Silent().step("x") as step:
        wait("three things", lambda: next(answers), limit_s=5, step=step, interval_s=0)


def test_wait_that_runs_out_has_what_is_missing_and_the_evidence():
    with Silent().step("x") as step, pytest.raises(LabError) as caught:
        wait(
            "frames",
            lambda: "pdc-higher: connection refused",
            limit_s=0.05,
            step=step,
            evidence=lambda: "pod pdc-higher: CrashLoopBackOff",
            cure="Look at its logs.",
            interval_s=0.01,
        )
    text = str(caught.value)
    assert "frames; still missing: pdc-higher: connection refused" in text
    assert text.endswith("pod pdc-higher: CrashLoopBackOff")


@pytest.mark.parametrize(("seconds", "text"), [(4.23, "4.2 s"), (59.9, "59.9 s"), (65, "1 m 05 s")])
def test_duration(seconds, text):
    assert duration(seconds) == text
