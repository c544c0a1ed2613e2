"""The catalogue of what is done to a lab and to the kit at work on it."""

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chaos import harness
from chaos.commands import Finished, Kit, Running
from chaos.machines import PARTS, Machines
from chaos.sequence import Hosts, Kind, State
from lab.nodes.state import StateDirectory

SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
EITHER: frozenset[State] = frozenset({"up", "down"})


class World(Protocol):
    """What actions act on."""

    kit: Kit
    machines: Machines
    harnesses: list[subprocess.Popen[str]]
    """Harnesses with a fault in force; they end with the action."""

    def run(self, *words: str, stop: signal.Signals | None = None, after_s: float = 0) -> Finished:
        """Run a command of the kit, and judge its answer."""

    def ended(self, running: Running) -> Finished:
        """Wait for a command under way, and judge its answer."""

    def wrong(self, problem: str) -> None:
        """Note what is not as it must be."""


Do = Callable[[World, Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Action(Kind):
    """One kind of action, with what it does."""

    do: Do
    """Does it; the arguments are those that were drawn."""
    cure: str = ""
    """The verb that mends the lab where `lab up` refuses to; `lab up` must name it then."""
    refused: bool = False
    """Whether `lab up` has to refuse."""


def _node(choice: random.Random, hosts: Hosts, _state: State) -> dict[str, Any]:
    return {"node": choice.choice(hosts.all)}


def _some(choice: random.Random, hosts: Hosts, _state: State) -> dict[str, Any]:
    """Draw nodes whose loss leaves a majority of the servers."""
    servers = choice.sample(hosts.servers, choice.randint(0, (len(hosts.servers) - 1) // 2))
    workers = choice.sample(hosts.workers, choice.randint(0, len(hosts.workers)))
    return {"nodes": [*servers, *workers] or [choice.choice(hosts.workers or hosts.servers)]}


def _majority(choice: random.Random, hosts: Hosts, _state: State) -> dict[str, Any]:
    return {"nodes": choice.sample(hosts.servers, len(hosts.servers) // 2 + 1)}


def _moment(choice: random.Random, _hosts: Hosts, state: State) -> dict[str, Any]:
    """Draw a signal and its moment; early ones, in which nodes are made, are worth more."""
    latest = 25.0 if state == "up" else choice.choice((12.0, 120.0))
    return {"signal": choice.choice(SIGNALS), "after_s": round(choice.uniform(0.3, latest), 1)}


def _moment_down(choice: random.Random, _hosts: Hosts, _state: State) -> dict[str, Any]:
    return {"signal": choice.choice(SIGNALS), "after_s": round(choice.uniform(0.3, 6), 1)}


def _two(choice: random.Random, _hosts: Hosts, state: State) -> dict[str, Any]:
    return {
        "first": choice.choice(("up", "down")) if state == "up" else "up",
        "second": choice.choice(("up", "down", "status", "heal", "preflight")),
        "after_s": round(choice.uniform(0.3, 12), 1),
    }


def _kill_up(world: World, drawn: Mapping[str, Any]) -> None:
    world.run("up", stop=signal.Signals[drawn["signal"]], after_s=drawn["after_s"])


def _kill_down(world: World, drawn: Mapping[str, Any]) -> None:
    world.run("down", stop=signal.Signals[drawn["signal"]], after_s=drawn["after_s"])


def _two_at_once(world: World, drawn: Mapping[str, Any]) -> None:
    first = world.kit.start(drawn["first"])
    first.wait(drawn["after_s"])
    world.run(drawn["second"])
    world.ended(first)


def _isolate(world: World, drawn: Mapping[str, Any]) -> None:
    argv = [sys.executable, "-m", harness.__name__, world.kit.name, drawn["node"]]
    process = subprocess.Popen(
        [*argv, str(drawn["heals_after_s"])], stdout=subprocess.PIPE, text=True
    )
    world.harnesses.append(process)
    said = process.stdout.readline().strip() if process.stdout else ""
    # Killed, it lets go of its connections to the node; stopped, as by a machine that
    # hangs, it holds them.
    process.send_signal(signal.Signals[drawn["signal"]])
    if said != harness.IN_FORCE:
        world.wrong(f"no fault could be put in force on {drawn['node']}: {said!r}")


def _remove(world: World, drawn: Mapping[str, Any]) -> None:
    world.machines.remove(drawn["nodes"])


def _lose_state(world: World, _drawn: Mapping[str, Any]) -> None:
    shutil.rmtree(StateDirectory(world.kit.name).directory)


def _stranger(world: World, _drawn: Mapping[str, Any]) -> None:
    with world.machines.stranger() as name:
        done = world.run("down")
        if done.code != 1 or name not in done.output:
            world.wrong(f"`lab down` did not name {name}, which is on the lab's network")


CATALOGUE: tuple[Action, ...] = (
    Action(name="nothing", weight=2, states=EITHER, do=lambda _world, _drawn: None),
    Action(name="kill-up", weight=5, states=EITHER, draw=_moment, do=_kill_up),
    # Nodes that are gone may be the majority.
    Action(name="kill-down", weight=3, draw=_moment_down, do=_kill_down, cure="down"),
    Action(name="two-at-once", weight=3, states=EITHER, draw=_two, do=_two_at_once),
    Action(
        name="harness-lost",
        weight=2,
        least_servers=3,
        draw=lambda choice, hosts, state: {
            **_node(choice, hosts, state),
            "heals_after_s": choice.choice((20, 60, 120)),
            "signal": choice.choice(("SIGKILL", "SIGSTOP")),
        },
        do=_isolate,
        cure="heal",
    ),
    Action(
        name="remove",
        weight=4,
        least_servers=3,
        draw=_some,
        do=_remove,
    ),
    Action(
        name="remove-majority",
        weight=1,
        least_servers=3,
        draw=_majority,
        do=_remove,
        cure="restore",
        refused=True,
    ),
    Action(
        name="kill-nodes",
        weight=2,
        draw=lambda choice, hosts, _state: {
            "nodes": choice.sample(hosts.all, choice.randint(1, len(hosts.all)))
        },
        do=lambda world, drawn: world.machines.kill(drawn["nodes"]),
    ),
    Action(
        name="pause",
        weight=2,
        draw=_node,
        do=lambda world, drawn: world.machines.pause(drawn["node"]),
    ),
    Action(
        name="stop",
        weight=2,
        draw=_node,
        do=lambda world, drawn: world.machines.stop(drawn["node"]),
    ),
    Action(
        name="wipe",
        weight=3,
        least_servers=3,
        draw=lambda choice, hosts, state: {
            **_node(choice, hosts, state),
            "parts": choice.choice((*([part] for part in PARTS), list(PARTS))),
        },
        do=lambda world, drawn: world.machines.wipe(drawn["node"], drawn["parts"]),
    ),
    Action(name="lose-state", weight=1, do=_lose_state),
    # Its refusal may come when the nodes are gone.
    Action(name="stranger", weight=1, do=_stranger, cure="down"),
)
"""All kinds of actions on a machine whose engine others use too."""

RESTART_ENGINE = Action(
    name="restart-engine",
    weight=2,
    states=EITHER,
    do=lambda world, _drawn: world.machines.restart_engine(),
)
"""Only where the run owns the engine: all of its containers end."""
