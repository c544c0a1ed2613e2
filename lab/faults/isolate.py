"""The fault `isolate`: a node that no other node reaches, and that reaches no other.

It runs on and does not know what happened to it, as behind a dead switch. Only the
control machine's SSH still comes through, which the lab needs to heal it.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from lab.cluster.endpoints import API_PORT
from lab.console.errors import LabError
from lab.faults import chain, reachability, timer, traces
from lab.faults.timer import Guard
from lab.faults.traces import Trace
from lab.nodes.node import Node

CURE = "Run `lab heal`, then `lab status`; try again when all nodes are Ready."
_TRACES = (chain.TRACE, timer.TRACE)


@dataclass(kw_only=True)
class Isolate:
    """Cut one node off from all others."""

    name: ClassVar[str] = "isolate"
    lasts: ClassVar[bool] = True
    traces: ClassVar[tuple[Trace, ...]] = (chain.TRACE,)
    node: Node
    """The node to cut off."""
    others: Sequence[Node]
    """The lab's other nodes; at least one server among them."""
    guard: Guard | None = field(default=None, init=False, compare=False)
    """What heals the node should this process die, once prepared."""

    @property
    def target(self) -> str:
        """The node's name."""
        return self.node.name

    @property
    def breaks_node(self) -> str:
        """The node's name: no server hears of it any more."""
        return self.node.name

    @property
    def nodes(self) -> Sequence[Node]:
        """Every node that is broken or that watches."""
        return (self.node, *self.others)

    def prepare(self, limit_s: float) -> None:
        """Check that the node is whole, and arm what heals it: its timer, and a guard.

        Raises LabError where a fault is under way there, or where the probes that
        prove the fault would fail without it.
        """
        if left := traces.found_on(self.node, _TRACES):
            raise LabError(f"A fault is under way on {self.target} ({', '.join(left)}).", CURE)
        if missing := self._wanted() - self._seen():
            raise LabError(
                f"{self.target} can't be isolated: it is cut off already, as these "
                f"connections fail: {', '.join(sorted(missing))}.",
                CURE,
            )
        self.node.run(["sh", "-c", timer.arm(limit_s)], stdin=traces.removing(_TRACES))
        try:
            self.guard = Guard(self.node)
        except LabError:
            traces.remove_from(self.node, (timer.TRACE,))
            raise

    def start(self) -> int:
        """Put the rules in force, all at once; the moment is that of the command's return."""
        interface, peer = self._path()
        self.node.run(["sh", "-c", chain.apply(interface=interface, peer=peer)])
        return time.monotonic_ns()

    def verify(self) -> None:
        """Raise LabError where any connection from or to the node still works."""
        if seen := self._seen():
            raise LabError(
                f"The isolation of {self.target} is not in force: these connections still "
                f"work: {', '.join(sorted(seen))}.",
                "Look at the rules below; the node heals when this message appears.",
                evidence=self.node.run(["iptables-save", "-t", "filter"], check=False).stdout,
            )

    def stop(self) -> None:
        """Remove rules, timer and guard.

        Raises LabError where the rules were gone before: the node had healed itself, so
        that what was measured meanwhile is no isolation.
        """
        try:
            found = traces.remove_from(self.node, _TRACES)
        finally:
            if self.guard:
                self.guard.release()
        if "iptables" not in found:
            raise LabError(
                f"The isolation of {self.target} had ended before it was healed.",
                "Its timer on the node ran out, the connection that guards it broke, or "
                "`lab heal` was run. Measure again; on a slow machine, give it a longer limit.",
            )

    def _path(self) -> tuple[str, str]:
        """Return the interface that holds the node's address, and whom SSH comes from."""
        found = self.node.run(["sh", "-c", 'echo "$SSH_CONNECTION"; ip -json address show'])
        connection, _, addresses = found.stdout.partition("\n")
        holders = [
            link
            for link in json.loads(addresses)
            if self.node.address in {entry.get("local") for entry in link["addr_info"]}
        ]
        if not holders:
            raise LabError(
                f"{self.target} has no interface with its address {self.node.address}.",
                "Give the host its address on the lab's network in the inventory.",
            )
        peer = connection.split()[0] if connection.strip() else ""
        return str(holders[0]["ifname"]), peer

    def _wanted(self) -> set[str]:
        return {f"{self.target} > {node.name}" for node in self.others if node.role == "server"} | {
            f"{self.others[0].name} > {self.target}"
        }

    def _seen(self) -> set[str]:
        """Return the connections that work.

        They go from the node to each other server's API, and to its kubelet from another.
        """
        apis = {
            f"{node.address}:{API_PORT}": node.name for node in self.others if node.role == "server"
        }
        out = {
            f"{self.target} > {apis[hit]}" for hit in reachability.reached(self.node, list(apis))
        }
        witness = self.others[0]
        kubelet = f"{self.node.address}:{reachability.KUBELET_PORT}"
        back = {f"{witness.name} > {self.target}" for _ in reachability.reached(witness, [kubelet])}
        return out | back
