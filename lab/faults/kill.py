"""The fault `kill`: a container's main process gets SIGKILL, from its node.

The kubelet learns of it from the runtime, as with any crash, and starts the
container again: the first time at once, then with growing pauses.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from lab.console.errors import LabError
from lab.faults.traces import Trace
from lab.nodes.node import Node

_FIND = """\
# Print "pid start-time command" of the process that is number 1 in the container $1.
for file in $(grep -l -s -F -e "$1" /proc/[0-9]*/cgroup); do
    process=${file%/cgroup}
    inner=$(sed -n 's/^NSpid:.*[[:space:]]//p' "$process/status" 2>/dev/null)
    test "$inner" = 1 || continue
    started=$(sed 's/.*) //' "$process/stat" | cut -d ' ' -f 20)
    echo "${process#/proc/} $started $(cat "$process/comm")"
done
"""

_KILL = """\
# Kill process $2, if it is still the one that started at $3 in the container $1.
grep -q -F -e "$1" "/proc/$2/cgroup" || exit 3
test "$(sed 's/.*) //' "/proc/$2/stat" | cut -d ' ' -f 20)" = "$3" || exit 3
kill -9 "$2"
"""

_GONE = """\
# Wait up to 2 s until process $1 that started at $2 is no more, or waits for its parent.
for attempt in $(seq 40); do
    set -- "$1" "$2" $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 1,20)
    test "$4" != "$2" -o "$3" = Z && exit 0
    sleep 0.05
done
exit 1
"""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of a node."""

    pid: int
    """Its number, as the node counts."""
    started: int
    """Its start time in clock ticks since boot, which tells it from a later one of that
    number (proc(5), stat, field 22)."""
    command: str
    """Its name."""


@dataclass(kw_only=True)
class Kill:
    """Kill the main process of one container."""

    name: ClassVar[str] = "kill"
    lasts: ClassVar[bool] = False
    traces: ClassVar[tuple[Trace, ...]] = ()
    node: Node
    """The node it runs on."""
    pod: str
    """Its pod, as namespace/name."""
    container_id: str
    """The runtime's identifier, as in the pod's status: `containerd://…`."""
    victim: Process | None = field(default=None, init=False)
    """The process, once found."""

    @property
    def target(self) -> str:
        """The pod, as namespace/name."""
        return self.pod

    @property
    def breaks_node(self) -> None:
        """No node: the pod's node stays whole."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The node that runs the container."""
        return (self.node,)

    def prepare(self, limit_s: float) -> None:
        """Find the process. There is no timer: the kubelet ends this fault, not the kit.

        Raises LabError where the container has no main process on the node.
        """
        found = self.node.run(["sh", "-c", _FIND, "-", self._digits]).stdout.splitlines()
        if len(found) != 1:
            raise LabError(
                f"{self.pod} has {len(found)} main processes on {self.node.name}; one was "
                f"expected of container {self._digits[:12]}.",
                "Run `lab status`: the pod may have moved or ended just now.",
                evidence="\n".join(found),
            )
        pid, started, command = found[0].split(maxsplit=2)
        self.victim = Process(pid=int(pid), started=int(started), command=command)

    def start(self) -> int:
        """Send SIGKILL, if the process is still the one that was found.

        The moment is that of the command's return.
        """
        victim = self._victim
        argv = ["sh", "-c", _KILL, "-", self._digits, str(victim.pid), str(victim.started)]
        if self.node.run(argv, check=False).returncode != 0:
            raise LabError(
                f"Process {victim.pid} ({victim.command}) of {self.pod} had ended before it "
                "could be killed.",
                "See with `lab logs` why it ended by itself.",
            )
        return time.monotonic_ns()

    def verify(self) -> None:
        """Raise LabError where the process still runs after 2 s."""
        victim = self._victim
        argv = ["sh", "-c", _GONE, "-", str(victim.pid), str(victim.started)]
        if self.node.run(argv, check=False).returncode != 0:
            raise LabError(
                f"Process {victim.pid} ({victim.command}) of {self.pod} outlived SIGKILL by 2 s.",
                "It may hang in the kernel; look at its state on the node.",
            )

    def stop(self) -> None:
        """Do nothing: the kubelet starts the container again."""

    @property
    def _digits(self) -> str:
        return self.container_id.rpartition("/")[2]

    @property
    def _victim(self) -> Process:
        if self.victim is None:
            raise LabError(f"The fault on {self.pod} was started before it was prepared.")
        return self.victim
