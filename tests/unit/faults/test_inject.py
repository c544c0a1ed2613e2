"""The life of a fault: in what order, and what happens when something fails within."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from lab.console.errors import LabError
from lab.faults import ownership
from lab.faults.fault import Fault, inject
from lab.faults.traces import Trace
from lab.host.command import Result
from lab.nodes import lab_file
from lab.nodes.node import Node, Ssh


@dataclass(frozen=True, kw_only=True)
class MarkedNode(Node):
    """A node that answers every command with the mark of a lab."""

    mark: str | None

    def run(
        self, argv: Sequence[str], *, stdin: str = "", timeout_s: float = 60, check: bool = True
    ) -> Result:
        assert list(argv) == ["cat", lab_file.PATH]
        found = self.mark is not None
        return Result(
            argv=tuple(argv), returncode=not found, stdout=self.mark or "", stderr="No such file"
        )


def node(mark: str | None) -> MarkedNode:
    ssh = Ssh(key=Path("none"), known_hosts=Path("none"))
    return MarkedNode(name="server-1", role="server", address="10.9.8.7", ssh=ssh, mark=mark)


@dataclass(kw_only=True)
class Recorded:
    """A fault and a journal in one: both write down what they are asked for."""

    mark: str | None = field(default_factory=lambda: json.dumps({"lab_name": "mine"}))
    fails: str = ""
    steps: list[str] = field(default_factory=list)
    name: ClassVar[str] = "nothing"
    lasts: ClassVar[bool] = True
    traces: ClassVar[tuple[Trace, ...]] = ()
    target: str = "nobody"
    breaks_node: str | None = None

    @property
    def nodes(self) -> Sequence[Node]:
        return [node(self.mark)]

    def _do(self, step: str) -> None:
        self.steps.append(step)
        if step == self.fails:
            raise LabError(f"{step} failed")

    def prepare(self, limit_s: float) -> None:
        self._do(f"prepare {limit_s:g}")

    def start(self) -> int:
        self._do("start")
        return 42

    def verify(self) -> None:
        self._do("verify")

    def stop(self) -> None:
        self._do("stop")

    def starting(self, fault: Fault) -> None:
        self._do("starting")

    def in_force(self, fault: Fault, t_ns: int) -> None:
        assert t_ns == 42
        self._do("in force")

    def stopping(self, fault: Fault) -> None:
        self._do("stopping")

    def healed(self, fault: Fault) -> None:
        self._do("healed")


def broken(fault: Recorded) -> None:
    with inject(fault, lab_name="mine", journal=fault, limit_s=9):
        fault.steps.append("case")


def test_a_fault_is_armed_started_seen_and_healed_in_this_order() -> None:
    fault = Recorded()
    broken(fault)
    assert fault.steps == [
        *("prepare 9", "starting", "start", "in force", "verify"),
        *("case", "stopping", "stop", "healed"),
    ]


@pytest.mark.parametrize("step", ["start", "in force", "verify", "case"])
def test_what_fails_after_the_start_is_healed(step: str) -> None:
    fault = Recorded(fails=step)

    def run() -> None:
        with inject(fault, lab_name="mine", journal=fault, limit_s=9):
            fault._do("case")

    with pytest.raises(LabError, match=f"{step} failed"):
        run()
    assert fault.steps[-3:] == ["stopping", "stop", "healed"]


def test_a_fault_that_was_refused_heals_nobody_elses() -> None:
    fault = Recorded(fails="prepare 9")
    with pytest.raises(LabError, match="prepare"):
        broken(fault)
    assert fault.steps == ["prepare 9"]


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        ('{"lab_name": "other"}', "belongs to the lab 'other'"),
        (None, "has no valid /etc/blackstart/lab.json"),
        ("not JSON", "has no valid"),
        ("[]", "has no valid"),
        ('{"lab_name": 3}', "has no valid"),
    ],
)
def test_a_cluster_of_somebody_else_is_left_alone(mark: str | None, says: str) -> None:
    fault = Recorded(mark=mark)
    with pytest.raises(LabError, match=says):
        broken(fault)
    assert fault.steps == []


def test_a_fault_without_nodes_is_refused() -> None:
    with pytest.raises(LabError, match="whose cluster"):
        ownership.require_own([], "mine")
