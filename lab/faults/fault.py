"""What every fault is, and the one way to put one in force.

The words are Jepsen's: kill, delete, isolate. A fault says what it hits and whether
it lasts, it proves that it took effect, and it can be healed any number of times.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Protocol

from lab.faults import ownership
from lab.faults.traces import Trace
from lab.nodes.node import Node


class Fault(Protocol):
    """Something that breaks one target."""

    name: ClassVar[str]
    """What is done, in one word."""
    lasts: ClassVar[bool]
    """Whether it stays in force until it is healed, or strikes once."""
    traces: ClassVar[tuple[Trace, ...]]
    """What it leaves on its nodes, which `lab heal` removes; empty where there is none."""

    @property
    def target(self) -> str:
        """What it hits: a node's name, or namespace/pod."""

    @property
    def breaks_node(self) -> str | None:
        """The node whose loss the cluster has to notice; None where every node stays whole."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes on which it acts; each must belong to the lab."""

    def prepare(self, limit_s: float) -> None:
        """Check that the fault can be seen, and arm what heals it after `limit_s` seconds.

        Nothing is broken yet. Raises LabError where another fault is under way.
        """

    def start(self) -> int:
        """Put the fault in force, and return the moment from which recovery counts.

        It is a time of the monotonic clock in nanoseconds: after the command that
        broke something came back, or before the request whose effect may precede its
        answer.
        """

    def verify(self) -> None:
        """Raise LabError unless the fault is in force and hit what it was meant to hit."""

    def stop(self) -> None:
        """Heal; harmless where there is nothing to heal."""


class Journal(Protocol):
    """Is told each step of a fault; the failover suite writes them to the run's history."""

    def starting(self, fault: Fault) -> None:
        """Note that the fault is about to be applied."""

    def in_force(self, fault: Fault, t_ns: int) -> None:
        """Note that it was in force at `t_ns` (monotonic clock, nanoseconds)."""

    def stopping(self, fault: Fault) -> None:
        """Note that healing begins."""

    def healed(self, fault: Fault) -> None:
        """Note that the fault is gone."""


class Unwritten:
    """A journal that nobody reads."""

    def starting(self, fault: Fault) -> None:
        """Drop it."""

    def in_force(self, fault: Fault, t_ns: int) -> None:
        """Drop it."""

    def stopping(self, fault: Fault) -> None:
        """Drop it."""

    def healed(self, fault: Fault) -> None:
        """Drop it."""


@contextmanager
def inject(fault: Fault, *, lab_name: str, journal: Journal, limit_s: float) -> Iterator[int]:
    """Keep `fault` in force for the length of a `with` block, and heal it whatever happens.

    Yields the moment from which recovery counts (monotonic clock, nanoseconds). Should
    this process die, the node heals by itself: at once where it notices, and at the latest
    `limit_s` seconds after the preparation.
    Raises LabError on a cluster that is not `lab_name`'s own, where the fault did not
    take effect, and where it could not be healed.
    """
    ownership.require_own(fault.nodes, lab_name)
    fault.prepare(limit_s)
    journal.starting(fault)
    try:
        t_ns = fault.start()
        journal.in_force(fault, t_ns)
        fault.verify()
        yield t_ns
    finally:
        journal.stopping(fault)
        fault.stop()
        journal.healed(fault)
