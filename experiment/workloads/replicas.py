"""Whether the replicas of the workloads' volume are equal again, where it has some."""

from lab.nodes.node import Node

_LOOK = """
test -d /var/lib/glusterd/vols/blackstart || exit 0
gluster volume heal blackstart info || echo 'Number of entries: unknown'
"""


def behind(server: Node) -> str | None:
    """Say what a replica still lacks, as `server` tells it; None where none lacks anything.

    A fault that comes before would find fewer replicas than there seem to be.
    """
    said = server.run(["sh", "-s"], stdin=_LOOK, timeout_s=30).stdout
    return lacking(said)


def lacking(said: str) -> str | None:
    """Return the same from the words of `gluster volume heal NAME info`."""
    brick = "a replica"
    for line in said.splitlines():
        if line.startswith("Brick "):
            brick = f"the replica on {line.removeprefix('Brick ').partition(':')[0]}"
        if line.startswith("Number of entries:") and (number := line.split()[-1]) != "0":
            return f"{brick} is not equal to the others yet (files to heal: {number})"
    return None
