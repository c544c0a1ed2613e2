"""A lab that exists on paper, for sessions of pytest that the tests start.

`CONFTEST` replaces the look-up of a lab and its probes; the run, the case and the fault are
the kit's own.
"""

from pathlib import Path

CONFTEST = """
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from experiment import session
from lab.config import profiles
from lab.host.command import Result
from lab.nodes.node import Node, Ssh
from measurements.run import Run

LEFT = Path(__file__).with_name("left-in-force")


@dataclass(frozen=True, kw_only=True)
class PaperNode(Node):

    def run(self, argv, **_):
        if argv[0] == "cat":
            said = json.dumps({"lab_name": self.cluster})
        else:  # healing prints what it removes
            said = LEFT.read_text() if LEFT.exists() else ""
            LEFT.unlink(missing_ok=True)
        return Result(argv=tuple(argv), returncode=0, stdout=said, stderr="")


def look_up(name):
    ssh = Ssh(key=Path("none"), known_hosts=Path("none"))
    node = PaperNode(name="server-1", role="server", address="10.9.8.7", ssh=ssh, cluster=name)
    state = SimpleNamespace(lock=contextlib.nullcontext)
    return SimpleNamespace(name=name, nodes=(node,), state=state), None


@contextlib.contextmanager
def measure(lab, about, reports):
    run = Run.create(
        reports, f"{lab.name}-floor", lab={"name": lab.name}, profile={"name": "floor"}, versions={}
    )
    with contextlib.closing(run):
        yield session.MeasuredLab(
            lab=lab,
            profile=profiles.load("floor"),
            run=run,
            consumer=None,
            writer=None,
            database=None,
        )


session.look_up = look_up
session.measure = measure
"""

FAULT = """
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from measurements import events


@dataclass(kw_only=True)
class Trip:
    \"\"\"Trips a pump's breaker; the pump's pod is replaced at once.\"\"\"

    name: ClassVar[str] = "trip"
    lasts: ClassVar[bool] = True
    traces: ClassVar[tuple] = ()
    breaks_node: ClassVar[None] = None
    node: Any
    history: Any
    target: str = "grid/pump"

    @property
    def nodes(self):
        return (self.node,)

    def prepare(self, limit_s):
        self._pod("old")

    def start(self):
        return time.monotonic_ns()

    def verify(self):
        self._pod("new")

    def stop(self):
        pass

    def _pod(self, uid):
        self.history.record(
            events.PodSeen(
                name=f"pump-{uid}", uid=uid, node="server-1", app="pump", phase="Running",
                ready=True, scheduled=True, running=True, restarts=0, deleting=False,
                via="server-1",
            )
        )
"""

CASE = """
import time

import pytest
from trip import Trip

from experiment import prediction, verdicts
from experiment.cases import Case
from measurements.windows import Window


def windows(profile):
    tripped = Window(earliest_s=0, latest_s=profile.toleration_s, why="the breaker's relay")
    return {"ready": tripped.later(prediction.LATENESS_S, "the pump's start")}


CASE = Case(
    title="The breaker of a pump trips",
    app="pump",
    fault=Trip,
    recovery="replacement",
    windows=windows,
)


@pytest.mark.failover
def test_pump_tripped(measured, run_case):
    fault = Trip(node=measured.lab.nodes[0], history=measured.run.history)
    with run_case(CASE) as case:
        with case.inject(fault):
            case.wait_for()
            hold()
        assert verdicts.timing(case.measure()) == []


def hold():
    pass
"""


def write(directory: Path, *, case: str = CASE) -> None:
    """Lay a fault of one's own, a case of one's own and the lab on paper into `directory`."""
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "trip.py").write_text(FAULT)
    (directory / "test_pump_tripped.py").write_text(case)
