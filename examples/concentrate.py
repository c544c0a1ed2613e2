"""Align two streams into one: a phasor data concentrator in a program of your own.

pmu serve --idcode 1 --port 4712                          # in two other terminals
pmu serve --idcode 2 --port 4713
python examples/concentrate.py 4712 4713 4700 30          # inputs, output, seconds
c37118 check localhost:4700 --idcode 10 --allow clock --allow stat
"""

import asyncio
import sys

from grid.pdc.concentrator import Concentrator
from grid.pdc.topology import document

TOPOLOGY = """
stream: {{name: area, idcode: 10, port: {output}, lag_time_s: 0.1}}
inputs:
  - {{name: pmu-1, host: localhost, port: {first}, idcode: 1, phasors: [VA, VB, VC]}}
  - {{name: pmu-2, host: localhost, port: {second}, idcode: 2, phasors: [VA, VB, VC]}}
"""


async def main(first: int, second: int, output: int, seconds: float) -> None:
    """Concentrate for some seconds, and print what happened to the frames."""
    topology = document.loads(TOPOLOGY.format(first=first, second=second, output=output))
    pdc = Concentrator(topology)
    await pdc.start()
    await asyncio.sleep(seconds)
    counts = pdc.aligner.counts
    print(f"{counts.published} frames sent, {counts.incomplete} of them without a PMU")
    print(f"last arrival to sent: {counts.alignment.minimum_s * 1e3:.2f} ms at best")
    await pdc.close()


asyncio.run(main(*map(int, sys.argv[1:4]), float(sys.argv[4])))
