"""A harness with a fault in force, to be lost: `python -m chaos.harness LAB NODE SECONDS`."""

import sys
import time

from lab.cluster.lab import find
from lab.faults.fault import Unwritten, inject
from lab.faults.isolate import Isolate

IN_FORCE = "in force"
"""What it prints once the node is cut off."""


def main() -> None:
    """Isolate the node until this process is killed; the node heals after SECONDS."""
    name, node_name, seconds = sys.argv[1:]
    lab = find(name)
    node = lab.node(node_name)
    fault = Isolate(node=node, others=[other for other in lab.nodes if other != node])
    with inject(fault, lab_name=name, journal=Unwritten(), limit_s=float(seconds)):
        print(IN_FORCE, flush=True)
        time.sleep(600)


if __name__ == "__main__":
    main()
