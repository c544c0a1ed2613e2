"""Be a PMU: send one voltage 10 times a second to every client that asks.

python examples/write_stream.py 4720 30                   # TCP port, seconds
c37118 dump localhost:4720 --idcode 7 --count 2           # in another terminal
"""

import asyncio
import sys
import time

from grid import c37118
from grid.transport.server import StreamServer

RATE, TIME_BASE, CLOCK = 10, 1_000_000, c37118.TimeQuality(code=c37118.UNRELIABLE)
CFG2, VOLT = c37118.Command.SEND_CFG2, c37118.PhasorUnit(kind=0, factor=0)
STATION = c37118.Station(
    name="example", idcode=7, format=c37118.Format(), phasors=("VA",), phasor_units=(VOLT,)
)
START = c37118.Stamp.from_ns(time.time_ns(), TIME_BASE, CLOCK)
CONFIGURATION = c37118.Configuration(
    idcode=7, stamp=START, time_base=TIME_BASE, stations=(STATION,), data_rate=RATE
)


async def main(port: int, seconds: float) -> None:
    """Answer the commands of clients, and send a frame at each tenth of a second."""
    codec, answers = c37118.DataCodec(CONFIGURATION), {CFG2: CONFIGURATION.encode()}
    server = StreamServer(idcode=7, name="example", answer=answers.get)
    await server.bind(None, port)
    print(f"serving on {await server.accept()}", flush=True)
    for slot in range(int(time.time() * RATE) + 1, int((time.time() + seconds) * RATE)):
        await asyncio.sleep(slot / RATE - time.time())
        stamp = c37118.Stamp.from_ns(slot * 1_000_000_000 // RATE, TIME_BASE, CLOCK)
        block = c37118.PmuData(c37118.Stat(synchronized=False), ((76210.0, 0.0),), 50.0, 0.0)
        server.publish(codec.encode(c37118.DataFrame(7, stamp, (block,))))
    await server.close()


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
