"""A fault and a case of one's own: two files, and the report has them."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_lab
import pytest

from experiment import cases
from measurements import events, history

pytest_plugins = ["pytester"]


def newest(pytester: pytest.Pytester) -> Path:
    return (pytester.path / "reports" / "latest").resolve()


def test_one_fault_file_and_one_case_file_make_a_report(pytester: pytest.Pytester) -> None:
    fake_lab.write(pytester.path)
    done = pytester.runpytest_subprocess("-m", "failover", "--lab", "paper")
    done.assert_outcomes(passed=1)
    run = newest(pytester)
    (case,) = json.loads((run / "results.json").read_text())["cases"]
    assert (case["name"], case["outcome"]) == ("pump-tripped", "passed")
    assert (case["fault"], case["target"], case["lasts"]) == ("trip", "grid/pump", True)
    assert case["published"] is None
    assert case["windows"]["ready"] == {
        "earliest_s": 0,
        "latest_s": pytest.approx(case["windows"]["ready"]["latest_s"]),
        "why": "the pump's start",
    }
    page = (run / "index.html").read_text()
    for words in ("The breaker of a pump trips", "trip", "pump-new", "the pump&#39;s start"):
        assert words in page
    assert "test_pump_tripped[paper]" in (run / "junit.xml").read_text()
    assert not list((pytester.path / "reports").glob(".junit*"))
    done.stdout.fnmatch_lines(
        [
            f"*measured: {run.name}*",
            "pump-tripped: passed",
            "*ready*predicted 0.0 to*",
            f"report: {run / 'index.html'}",
        ]
    )


def test_the_result_file_that_the_user_named_stays_his(pytester: pytest.Pytester) -> None:
    fake_lab.write(pytester.path)
    pytester.runpytest_subprocess("-m", "failover", "--junitxml", "mine.xml")
    assert (pytester.path / "mine.xml").read_text() == (newest(pytester) / "junit.xml").read_text()


def test_a_case_outside_its_window_fails_and_says_so(pytester: pytest.Pytester) -> None:
    late = fake_lab.CASE.replace("earliest_s=0", "earliest_s=9").replace("toleration_s", "renew_s")
    fake_lab.write(pytester.path, case=late)
    done = pytester.runpytest_subprocess("-m", "failover")
    done.assert_outcomes(failed=1)
    (case,) = json.loads((newest(pytester) / "results.json").read_text())["cases"]
    assert case["outcome"] == "failed"
    assert "expected 9.0 to" in case["message"]


def test_another_fault_than_declared_is_refused(pytester: pytest.Pytester) -> None:
    other = fake_lab.CASE.replace("fault=Trip,", "fault=Kill,").replace(
        "import pytest\n", "import pytest\nfrom lab.faults.kill import Kill\n", 1
    )
    fake_lab.write(pytester.path, case=other)
    done = pytester.runpytest_subprocess("-m", "failover")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines("*TypeError: the case declares Kill, not Trip*")


def test_a_published_value_that_there_is_not_is_refused(pytester: pytest.Pytester) -> None:
    other = fake_lab.CASE.replace("windows=windows,", 'windows=windows, published="node_lost",')
    fake_lab.write(pytester.path, case=other)
    done = pytester.runpytest_subprocess("-m", "failover")
    done.stdout.fnmatch_lines("*no such published value: 'node_lost'; there are*node_isolated*")


def test_what_an_earlier_session_left_in_force_is_healed_first(pytester: pytest.Pytester) -> None:
    fake_lab.write(pytester.path)
    (pytester.path / "left-in-force").write_text("iptables\ntimer\n")
    done = pytester.runpytest_subprocess("-m", "failover")
    done.assert_outcomes(passed=1)
    output = done.stdout.str() + done.stderr.str()
    assert "A fault of an earlier session was still in force" in output
    assert "server-1: removed iptables, timer" in " ".join(output.split())


def test_a_case_that_waits_to_its_limit_is_healed_before_the_nodes_own_timer(
    pytester: pytest.Pytester,
) -> None:
    """The timer that the node is given is longer than the case's whole wait."""
    never = fake_lab.CASE.replace('return {"ready"', 'return {"evicted"')
    fault = fake_lab.FAULT.replace(
        'self._pod("old")', 'self._pod("old"); self.until = time.monotonic() + limit_s'
    ).replace(
        "def stop(self):\n        pass",
        "def stop(self):\n        print('left:', self.until - time.monotonic())",
    )
    fake_lab.write(pytester.path, case=never)
    (pytester.path / "trip.py").write_text(fault)
    (pytester.path / "conftest.py").write_text(
        fake_lab.CONFTEST + "\nfrom experiment import cases\ncases.MARGIN_S = 1.0\n"
    )
    done = pytester.runpytest_subprocess("-m", "failover", "-s")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines("*TimeoutError*")
    told = re.search(r"left: ([\d.]+)", done.stdout.str())
    assert told is not None
    assert cases.HEAL_AFTER_S / 2 < float(told[1]) <= cases.HEAL_AFTER_S


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_heals_and_leaves_a_report(
    pytester: pytest.Pytester, sent: signal.Signals
) -> None:
    waiting = fake_lab.CASE.replace("    pass\n", "    time.sleep(300)\n")
    fake_lab.write(pytester.path, case=waiting)
    argv = [sys.executable, "-m", "pytest", "-m", "failover", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_default_handlers,  # noqa: PLW1509
    ) as process:
        told = _wait_for_fault(pytester)
        process.send_signal(sent)
        output = process.communicate(timeout=120)[0]
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    kinds = [type(event.body) for event in history.read(told)]
    assert events.FaultHealed in kinds
    (case,) = json.loads((newest(pytester) / "results.json").read_text())["cases"]
    assert case["outcome"] == "aborted"
    assert (newest(pytester) / "index.html").is_file()


def _default_handlers() -> None:
    """Undo what a shell does to programs that it runs in the background."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _wait_for_fault(pytester: pytest.Pytester) -> Path:
    told = pytester.path / "reports" / "latest" / "history.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if told.exists() and "pump-new" in told.read_text():
            time.sleep(0.5)
            return told
        time.sleep(0.1)
    raise AssertionError("the fault never came into force")
