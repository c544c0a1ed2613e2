"""What will be done, action by action: it follows from the seed and the lab's hosts alone.

After each action the lab is up or down as planned, or the run has failed, so that the next
action needs no look at what came of the one before.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["up", "down"]
STAYS_UP = 0.85
"""How often the lab is up after an action: what is found on a lab that runs costs less time."""
LOOKS = 0.5
"""How often `lab status` is asked before the lab is mended."""


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The hosts of the inventory."""

    servers: tuple[str, ...]
    """Their names."""
    workers: tuple[str, ...] = ()
    """Their names."""

    @property
    def all(self) -> tuple[str, ...]:
        """Servers and workers."""
        return self.servers + self.workers


Draw = Callable[[random.Random, Hosts, State], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of action, as far as it is planned."""

    name: str
    """What is done."""
    weight: int
    """How often it is chosen, beside the others."""
    states: frozenset[State] = frozenset({"up"})
    """What the lab may be before it."""
    draw: Draw = lambda _random, _hosts, _state: {}
    """Returns the arguments of one action."""
    least_servers: int = 1
    """How many servers it takes."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One action to come."""

    number: int
    """Counted from 1."""
    kind: str
    """Name of its kind."""
    arguments: Mapping[str, Any]
    """What exactly is done."""
    looks: bool
    """Whether `lab status` is asked before the lab is mended."""
    then: State
    """What the lab is brought to."""

    def __str__(self) -> str:
        said = " ".join(f"{name}={value}" for name, value in self.arguments.items())
        look = ", status" if self.looks else ""
        return f"{self.kind}{' ' if said else ''}{said}{look}, {self.then}"


def sequence(seed: int, hosts: Hosts, kinds: tuple[Kind, ...]) -> Iterator[Planned]:
    """Yield the actions of `seed` without end, for a lab that is down at first."""
    choice = random.Random(seed)  # noqa: S311 - a plan, not a secret
    state: State = "down"
    for number in itertools.count(1):
        possible = [
            kind
            for kind in kinds
            if state in kind.states and len(hosts.servers) >= kind.least_servers
        ]
        kind = choice.choices(possible, [kind.weight for kind in possible])[0]
        arguments = kind.draw(choice, hosts, state)
        looks = choice.random() < LOOKS
        state = "up" if choice.random() < STAYS_UP else "down"
        yield Planned(number=number, kind=kind.name, arguments=arguments, looks=looks, then=state)
