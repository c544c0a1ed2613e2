"""A light source of data for the PDC's benchmark: many PMUs or PDCs behind one TCP port.

    python3 -m benchmarks.grid.load STREAMS PMUS_A_STREAM RATE

prints its port, then one line a frame time until standard input is closed: the slot, and
the monotonic time in nanoseconds at which the last stream's frame was handed to the kernel.
Frames differ in nothing but their stamp, so that the source costs little.
"""

import asyncio
import sys
import time

from grid.c37118 import (
    Command,
    Configuration,
    DataCodec,
    DataFrame,
    Format,
    Measurement,
    PhasorUnit,
    Stamp,
    Stat,
    Station,
    TimeQuality,
    write,
)
from grid.c37118.frames import envelope
from grid.timing.slots import Slots
from grid.transport.server import StreamServer

PHASORS = ("VA", "VB", "VC")
TIME_BASE = 1_000_000
_QUALITY = TimeQuality(code=4)


def station(idcode: int) -> Station:
    """Return a PMU of three phasors."""
    return Station(
        name=f"pmu-{idcode}",
        idcode=idcode,
        format=Format(),
        phasors=PHASORS,
        phasor_units=(PhasorUnit(kind=0, factor=1),) * len(PHASORS),
    )


class LoadStream:
    """One stream; its frame is made once, and gets another stamp for each slot."""

    def __init__(self, idcode: int, stations: tuple[Station, ...], rate: int) -> None:
        stamp = Stamp(soc=0, count=0, quality=_QUALITY)
        configuration = Configuration(
            idcode=idcode, stamp=stamp, time_base=TIME_BASE, stations=stations, data_rate=rate
        )
        measured = Measurement(
            stat=Stat(), phasors=(complex(76e3, 1.0),) * 3, frequency_hz=50.0, rocof_hz_s=0.0
        )
        blocks = tuple(write(one, measured) for one in stations)
        frame = DataCodec(configuration).encode(DataFrame(idcode=idcode, stamp=stamp, pmus=blocks))
        self._frame = bytearray(frame)
        self._configuration = configuration.encode()
        self.server = StreamServer(idcode=idcode, answer=self._answer, name=f"load {idcode}")

    def send(self, words: bytes) -> None:
        """Send the frame of a time, given as SOC and FRACSEC."""
        frame = self._frame
        frame[6:14] = words
        frame[-2:] = envelope.crc(memoryview(frame)[:-2]).to_bytes(2, "big")
        self.server.publish(bytes(frame))

    def _answer(self, command: int) -> bytes | None:
        return self._configuration if command == Command.SEND_CFG2 else None


async def _main(streams: int, pmus: int, rate: int) -> None:
    loads = []
    for index in range(streams):
        idcodes = range(1 + index * pmus, 1 + (index + 1) * pmus)
        load = LoadStream(1000 + index, tuple(station(idcode) for idcode in idcodes), rate)
        await load.server.bind("127.0.0.1", 0)
        await load.server.accept()
        loads.append(load)
    print(*(load.server.port for load in loads), flush=True)
    loop = asyncio.get_running_loop()
    closed = loop.run_in_executor(None, sys.stdin.read)
    slots = Slots(rate)
    slot = slots.following(time.time_ns())
    while not closed.done():
        ns = slots.time_ns(slot)
        await asyncio.sleep(max(0.0, (ns - time.time_ns()) / 1e9))
        soc, fracsec = Stamp.from_ns(ns, TIME_BASE, _QUALITY).words()
        words = soc.to_bytes(4, "big") + fracsec.to_bytes(4, "big")
        for load in loads:
            load.send(words)
        print(slot, time.monotonic_ns(), flush=True)
        slot += 1


if __name__ == "__main__":
    asyncio.run(_main(*(int(argument) for argument in sys.argv[1:])))
