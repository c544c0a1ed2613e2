"""What heals a node whose harness died: a connection that ends with it, and a timer.

The connection tells of a harness that was killed, within a second; it needs no renewal
that could come late on a busy machine. The timer is for what it can't tell: this machine
stopped, or lost its way to the node.
"""

import contextlib
import subprocess
from typing import IO

from lab.console.errors import LabError
from lab.faults.traces import Trace
from lab.nodes.node import Node

TIMER = "blackstart-heal"
"""The transient systemd unit, `.timer` and `.service`, that heals a node left alone."""
SCRIPT = "/run/blackstart/heal.sh"
"""What that unit runs."""

TRACE = Trace(
    find=f"""\
systemctl --quiet is-active {TIMER}.timer 2>/dev/null && echo timer
""",
    remove=f"""\
if systemctl --quiet is-active {TIMER}.timer 2>/dev/null; then systemctl stop {TIMER}.timer; fi
rm -f {SCRIPT}
""",
)


def arm(limit_s: float) -> str:
    """Return the script that reads a script on standard input and runs it `limit_s` s later."""
    return f"""\
set -e
mkdir -p {SCRIPT.rpartition("/")[0]}
cat >{SCRIPT}
systemctl reset-failed {TIMER}.service 2>/dev/null || :
systemd-run --quiet --collect --unit={TIMER} --on-active={limit_s:g}s \\
    --timer-property=AccuracySec=100ms /bin/sh {SCRIPT}
"""


_GUARD = f"""\
echo guarded
cat >/dev/null
test ! -e {SCRIPT} || exec /bin/sh {SCRIPT} >/dev/null 2>&1
"""
"""Waits for the end of its standard input, which is the end of the harness or the release."""


class Guard:
    """A connection to a node with a timer; where it ends unreleased, the node heals at once."""

    def __init__(self, node: Node) -> None:
        """Connect; raises LabError where the node does not answer."""
        self._process = node.start(["sh", "-c", _GUARD])
        if self._streams[1].readline() != "guarded\n":
            self.release()
            raise LabError(
                f"{node.name} ({node.address}) did not answer when a fault was prepared there.",
                "Run `lab status`; try again when the node answers.",
            )

    def release(self) -> None:
        """End the connection after healing: the node finds nothing left to do."""
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _streams(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdin, self._process.stdout
