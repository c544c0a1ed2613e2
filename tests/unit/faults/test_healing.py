"""Healing many nodes: one that can't be reached keeps no other from being healed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.console.errors import LabError
from lab.faults import healing, traces
from lab.host.command import CommandError, Result
from lab.nodes.node import Node, Ssh


@dataclass(frozen=True, kw_only=True)
class Scripted(Node):
    """A node that answers with one outcome after the other: output, or None for no answer."""

    outcomes: list[str | None] = field(default_factory=list)

    def run(
        self, argv: Sequence[str], *, stdin: str = "", timeout_s: float = 60, check: bool = True
    ) -> Result:
        output = self.outcomes.pop(0)
        if output is None:
            raise CommandError(
                Result(argv=tuple(argv), returncode=255, stdout="", stderr="timed out")
            )
        return Result(argv=tuple(argv), returncode=0, stdout=output, stderr="")


def node(name: str, *outcomes: str | None) -> Scripted:
    ssh = Ssh(key=Path("none"), known_hosts=Path("none"))
    return Scripted(
        name=name, cluster="x", role="server", address="10.9.8.7", ssh=ssh, outcomes=list(outcomes)
    )


def test_a_connection_that_was_lost_is_tried_again() -> None:
    found = traces.remove_from(node("server-1", None, "iptables\ntimer\n"), healing.TRACES)
    assert found == ("iptables", "timer")


def test_a_node_that_stays_away_is_named_after_all_were_tried() -> None:
    well = node("server-2", "timer\n")
    with pytest.raises(LabError, match="1 of 2 nodes could not be healed") as caught:
        healing.heal([node("server-1", None, None), well])
    assert "server-1 (10.9.8.7)" in caught.value.evidence
    assert well.outcomes == []


def test_only_nodes_that_had_something_are_told() -> None:
    healed = healing.heal([node("server-1", ""), node("worker-1", "iptables\n")])
    assert [str(line) for line in healed] == ["worker-1: removed iptables"]


def test_a_lab_without_running_nodes_has_nothing_to_heal() -> None:
    assert healing.heal([]) == ()


def test_a_fault_in_force_is_refused_by_node_and_trace() -> None:
    healing.refuse_in_force([node("server-1", ""), node("worker-1", "")])
    with pytest.raises(LabError, match=r"in force on server-2 \(iptables, timer\)") as caught:
        healing.refuse_in_force([node("server-1", ""), node("server-2", "iptables\ntimer\n")])
    assert "`lab heal`" in caught.value.cure
