"""A run with a kit that is a script: what the script does wrong has to end the run."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import commands, observed, session
from chaos.actions import Action
from chaos.commands import Kit
from chaos.observed import Cluster, Remains
from chaos.sequence import Planned, State
from chaos.session import Session
from chaos.trace import Trace
from tests.unit.chaos.test_chaos_judges import GOOD, HOSTS

GOOD_KIT = """
import sys
print('{"healthy": true}')
"""
NOTHING = Action(name="nothing", weight=1, do=lambda _world, _drawn: None)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """Return a maker of sessions, whose kit is `script` and whose labs are `labs`, in turn."""
    monkeypatch.setattr(session, "SETTLE_S", 0.0)
    monkeypatch.setattr(session, "VANISH_S", 0.0)
    monkeypatch.setattr(session, "INTERVAL_S", 0.0)

    def made(
        script: str = GOOD_KIT, labs: list[Cluster] | None = None, left: tuple[str, ...] = ()
    ) -> Session:
        file = tmp_path / "kit.py"
        file.write_text(textwrap.dedent(script))
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        seen = iter(labs or [])
        monkeypatch.setattr(observed, "cluster", lambda *_: next(seen, GOOD))
        monkeypatch.setattr(observed, "remains", lambda *_: Remains(things=left))
        kit = Kit("paper", logs=tmp_path, temporary=temporary, program=(sys.executable, str(file)))
        trace = Trace(tmp_path / "trace.jsonl", StringIO())
        return Session(kit, SimpleNamespace(), hosts=HOSTS, trace=trace, temporary=temporary)

    return made


def perform(run: Session, then: State, action: Action = NOTHING, **arguments: Any) -> list[str]:
    planned = Planned(number=1, kind=action.name, arguments=arguments, looks=True, then=then)
    run.perform(planned, action)
    return run.problems


def test_a_kit_that_does_all_right(make) -> None:
    run = make()
    assert perform(run, "up") == []
    assert perform(run, "up") == []
    assert perform(run, "down") == []


def test_down_that_leaves_a_volume(make) -> None:
    run = make(left=("volume paper-server-1-etcd",))
    assert perform(run, "down") == ["`lab down` left volume paper-server-1-etcd"]


def test_up_that_prints_a_traceback(make) -> None:
    run = make("import sys\nif sys.argv[1] == 'up': raise OSError('disk')\nprint('{}')")
    problems = perform(run, "up")
    assert "a traceback: OSError: disk" in problems[0]


def test_up_that_founds_another_cluster(make) -> None:
    other = replace(GOOD, uids=dict.fromkeys(HOSTS.servers, "other"))
    run = make(labs=[GOOD, other, other])
    assert perform(run, "up") == []
    assert "another cluster stands in the place of" in perform(run, "up")[0]


def test_a_lab_that_was_down_may_be_another_cluster(make) -> None:
    other = replace(GOOD, uids=dict.fromkeys(HOSTS.servers, "other"))
    run = make(labs=[GOOD, other])
    assert perform(run, "up") == []
    assert perform(run, "down") == []
    assert perform(run, "up") == []


REFUSES_ONCE = """
import pathlib, sys
cured = pathlib.Path(__file__).with_name('cured')
if sys.argv[1] == 'heal': cured.touch()
if sys.argv[1] == 'up' and not cured.exists(): sys.exit('error: {}')
print('{{}}')
"""


def test_up_that_refuses_for_no_reason(make) -> None:
    run = make(REFUSES_ONCE.format("Not today. Run `lab heal`."))
    assert "`lab up` refused after nothing: error: Not today." in perform(run, "up")[0]


def test_up_that_refuses_and_names_the_cure(make) -> None:
    run = make(REFUSES_ONCE.format("A fault is in force. Run `lab heal`."))
    assert perform(run, "up", replace(NOTHING, cure="heal")) == []


def test_up_that_refuses_and_names_no_cure(make) -> None:
    run = make(REFUSES_ONCE.format("A fault is in force."))
    assert perform(run, "up", replace(NOTHING, cure="heal")) == [
        "`lab up` refused, and does not name `lab heal`"
    ]


def test_up_that_goes_on_where_it_has_to_refuse(make) -> None:
    run = make()
    lost = replace(NOTHING, name="remove-majority", cure="restore", refused=True)
    assert perform(run, "up", lost) == ["`lab up` did not refuse after remove-majority"]


def test_a_lab_that_becomes_healthy_in_time(make, monkeypatch) -> None:
    monkeypatch.setattr(session, "SETTLE_S", 30.0)
    late = replace(GOOD, status={"healthy": False})
    assert perform(make(labs=[late, late, GOOD]), "up") == []


def test_an_action_that_can_not_be_done(make) -> None:
    def do(_world: Any, _drawn: Any) -> None:
        raise FileNotFoundError("no such container")

    assert perform(make(), "up", replace(NOTHING, do=do)) == [
        "nothing could not be done: no such container"
    ]


SLEEPS = """
import signal, subprocess, sys, time
if sys.argv[-1] == 'deaf': signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[-1] == 'helper': sys.exit(subprocess.call(['sleep', '60']))
if sys.argv[1] != 'up': sys.exit()
print('asleep', flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_command_is_ended_by_a_signal(make, name: str) -> None:
    done = make(SLEEPS).kit.run("up", stop=signal.Signals[name], after_s=0.5)
    assert (done.ended_by, done.late) == (name, False)
    assert done.code == -signal.Signals[name]
    assert 0.5 <= done.seconds < 20
    assert "asleep" in done.output


def test_ctrl_c_reaches_what_the_command_has_started(make) -> None:
    done = make(SLEEPS).kit.run("up", "helper", stop=signal.SIGINT, after_s=1)
    assert done.seconds < 20


def test_a_command_that_does_not_end_after_a_signal_is_late(make, monkeypatch) -> None:
    monkeypatch.setattr(commands, "END_LIMIT_S", 1.0)
    done = make(SLEEPS).kit.run("up", "deaf", stop=signal.SIGTERM, after_s=0.5)
    assert (done.code, done.late) == (-9, True)


def test_a_command_beyond_its_limit_is_late(make, monkeypatch) -> None:
    monkeypatch.setitem(commands.LIMITS_S, "up", 0.5)
    run = make(SLEEPS)
    assert "did not end within its limit" in perform(run, "up")[0]


def test_a_command_that_ends_before_its_signal(make) -> None:
    done = make().kit.run("up", stop=signal.SIGKILL, after_s=60)
    assert (done.ended_by, done.code) == ("", 0)


ADOPTS = """
import subprocess, time
from chaos import observed
observed.adopt_orphans()
leaves = "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"
subprocess.run([{python!r}, '-c', leaves], check=True)
(left,) = observed.orphans()
print(left.name())
left.kill()
left.wait()
print(observed.orphans())
"""


def test_what_a_command_leaves_running_is_found() -> None:
    script = ADOPTS.format(python=sys.executable)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "sleep\n[]\n", done.stderr
