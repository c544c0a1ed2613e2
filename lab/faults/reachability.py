"""Which TCP ports a node reaches, seen from the node itself."""

from collections.abc import Sequence

from lab.nodes.node import Node

KUBELET_PORT = 10250
"""Where every node's kubelet listens."""
LIMIT_S = 1.5
"""How long a connection may take, in seconds; the lab's network needs a millisecond."""

_SCRIPT = """\
limit=$1; shift
for target; do
    timeout "$limit" bash -c 'exec 3<>"/dev/tcp/${1%:*}/${1##*:}"' - "$target" 2>/dev/null &&
        echo "$target" &
done
wait
"""


def reached(node: Node, targets: Sequence[str]) -> frozenset[str]:
    """Return those of `targets` ("address:port") to which `node` can open a TCP connection.

    All are tried at once, for LIMIT_S seconds. Raises CommandError where the node
    itself does not answer.
    """
    done = node.run(["bash", "-c", _SCRIPT, "-", str(LIMIT_S), *targets], timeout_s=15)
    return frozenset(done.stdout.split())
