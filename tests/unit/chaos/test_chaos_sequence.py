"""The plan of a run: it follows from the seed, and asks for nothing that can't be mended."""

import itertools
import json
from io import StringIO
from pathlib import Path

import pytest

from chaos.__main__ import INVENTORY
from chaos.actions import CATALOGUE, RESTART_ENGINE
from chaos.commands import Finished
from chaos.sequence import Hosts, Planned, sequence
from chaos.trace import Trace
from lab.config.inventory import load

THREE = Hosts(servers=("server-1", "server-2", "server-3"))
FIVE = Hosts(servers=tuple(f"server-{n}" for n in range(1, 6)), workers=("worker-1", "worker-2"))


def plan(seed: int, hosts: Hosts = THREE, actions: int = 200) -> list[Planned]:
    return list(itertools.islice(sequence(seed, hosts, CATALOGUE), actions))


def test_a_seed_gives_the_same_actions_again() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_a_short_run_is_the_beginning_of_a_long_one() -> None:
    assert plan(7, actions=12) == plan(7)[:12]


def test_every_kind_comes_in_an_hour_of_hours() -> None:
    assert {planned.kind for planned in plan(3)} == {action.name for action in CATALOGUE}


def test_the_engine_is_ended_only_where_it_is_asked_for() -> None:
    with_engine = sequence(3, THREE, (*CATALOGUE, RESTART_ENGINE))
    assert RESTART_ENGINE.name not in {planned.kind for planned in plan(3)}
    assert RESTART_ENGINE.name in {p.kind for p in itertools.islice(with_engine, 200)}


@pytest.mark.parametrize("hosts", [THREE, FIVE], ids=["three", "five"])
def test_a_majority_is_lost_only_by_the_action_of_that_name(hosts: Hosts) -> None:
    majority = len(hosts.servers) // 2 + 1
    for planned in plan(5, hosts):
        lost = [node for node in planned.arguments.get("nodes", ()) if node in hosts.servers]
        if planned.kind == "remove":
            assert planned.arguments["nodes"]
            assert len(hosts.servers) - len(lost) >= majority
        elif planned.kind == "remove-majority":
            assert len(hosts.servers) - len(lost) < majority


def test_one_server_is_never_removed_or_wiped() -> None:
    kinds = {planned.kind for planned in plan(5, Hosts(servers=("server-1",)))}
    assert not kinds & {"remove", "remove-majority", "wipe", "harness-lost"}


def test_nodes_are_broken_only_where_there_are_any() -> None:
    needs_lab = {action.name for action in CATALOGUE if "down" not in action.states}
    before = "down"
    for planned in plan(11):
        assert before == "up" or planned.kind not in needs_lab
        before = planned.then


def test_the_trace_is_printed_and_kept(tmp_path: Path) -> None:
    shown = StringIO()
    trace = Trace(tmp_path / "trace.jsonl", shown)
    planned = plan(1)[1]
    trace.header(seed=1, lab="chaos")
    trace.action(planned.number, str(planned), planned.arguments)
    trace.command(Finished(words=("up",), code=-9, output="", seconds=4.6, ended_by="SIGKILL"))
    trace.problems(["another cluster"])
    kept = [json.loads(line) for line in trace.file.read_text().splitlines()]
    assert kept[0] == {"run": {"seed": 1, "lab": "chaos"}}
    assert kept[1] == {**kept[1], "action": 2, **planned.arguments}
    assert kept[2] == {**kept[2], "command": "up", "code": -9, "seconds": 4.6, "sent": "SIGKILL"}
    assert kept[3]["problems"] == ["another cluster"]
    assert str(planned) in shown.getvalue()
    assert "✗ another cluster" in shown.getvalue()


def test_the_runs_own_inventory_has_a_majority_to_lose() -> None:
    inventory = load(INVENTORY)
    assert len(inventory.servers) == len(inventory.hosts) == 3
