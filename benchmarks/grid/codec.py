"""How fast data frames are read and written, beside pypmu.

The frame is that of the standard's annex D: 52 bytes, four phasors, three analog values
and a digital word. Figures are frames a second of CPU time, the median over many short
batches, so that other processes of the machine count as little as they can.
"""

import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.grid.figure import Figure, announce
from grid import c37118

TARGET = 200_000.0
"""Frames a second, for decode and for encode each."""
_BATCH = 2_000
_PEER = "synchrophasor"

_STAMP = c37118.Stamp(
    soc=1_149_580_800, count=16_817, quality=c37118.TimeQuality(code=c37118.LOCKED)
)
_STATION = c37118.Station(
    name="Station A",
    idcode=7734,
    format=c37118.Format(float_phasors=False, float_frequency=False),
    phasors=("VA", "VB", "VC", "I1"),
    phasor_units=(c37118.PhasorUnit(kind=0, factor=915_527),) * 3
    + (c37118.PhasorUnit(kind=1, factor=45_776),),
    analogs=("ANALOG1", "ANALOG2", "ANALOG3"),
    analog_units=tuple(c37118.AnalogUnit(kind=kind, factor=1) for kind in range(3)),
    digitals=tuple(f"BREAKER {number:X} STATUS" for number in range(16)),
    digital_units=(c37118.DigitalUnit(normal=0, valid=0xFFFF),),
    fnom=0,
)
_CONFIGURATION = c37118.Configuration(
    idcode=7734, stamp=_STAMP, time_base=1_000_000, stations=(_STATION,), data_rate=30
)
_DATA = c37118.DataFrame(
    idcode=7734,
    stamp=_STAMP,
    pmus=(
        c37118.PmuData(
            stat=c37118.Stat(),
            phasors=((14635, 0), (-7318, -12676), (-7318, 12675), (1092, 0)),
            frequency=2500,
            rocof=0,
            analogs=(100.0, 1000.0, 10000.0),
            digitals=(0x3C12,),
        ),
    ),
)


def run(seconds: float) -> list[Figure]:
    """Measure for about so many seconds."""
    codec = c37118.DataCodec(_CONFIGURATION)
    frame = codec.encode(_DATA)
    block, station = codec.decode(frame).pmus[0], _STATION
    reassembler = c37118.Reassembler()
    peer = _peer(_CONFIGURATION.encode(), frame)
    works: dict[str, Callable[[], object]] = {
        "decode": lambda: codec.decode(frame),
        "encode": lambda: codec.encode(_DATA),
        "split": lambda: codec.split(frame),
        "read": lambda: c37118.read(station, block),
        "reassemble": lambda: reassembler.feed(frame),
        **peer,
    }
    announce("the codec, and pypmu's", seconds)
    each_s = seconds / len(works)
    rates = {name: _rate(work, each_s) for name, work in works.items()}
    return [
        Figure(
            name="decode a data frame",
            value=rates["decode"],
            unit="frames/s a core",
            target=TARGET,
            peer=rates.get("peer decode"),
            limit="making the Python objects: CRC and struct take a sixth of it",
        ),
        Figure(
            name="encode a data frame",
            value=rates["encode"],
            unit="frames/s a core",
            target=TARGET,
            peer=rates.get("peer encode"),
            limit="putting the numbers of the objects in a row",
        ),
        Figure(
            name="check it and split it into blocks, as a PDC does",
            value=rates["split"],
            unit="frames/s a core",
            limit="calls: CRC, time stamp, one slice a PMU",
        ),
        Figure(
            name="a decoded block in physical units",
            value=rates["read"],
            unit="blocks/s a core",
            limit="arithmetic on Python floats, phasor by phasor",
        ),
        Figure(
            name="cut a frame out of a TCP segment",
            value=rates["reassemble"],
            unit="frames/s a core",
            limit="calls: one segment a frame is the worst case",
        ),
    ]


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Return how often `work` is done in a second of CPU time."""
    batches: list[float] = []
    end = time.monotonic() + seconds
    while not batches or time.monotonic() < end:
        start = time.process_time()
        for _ in range(_BATCH):
            work()
        batches.append(time.process_time() - start)
    return _BATCH / statistics.median(batches)


def _peer(configuration: bytes, frame: bytes) -> dict[str, Callable[[], object]]:
    """Return the same work done by pypmu; empty where it is not installed."""
    try:
        # The newest release is of a time when this name was still there.
        collections = importlib.import_module("collections")
        collections.Sequence = importlib.import_module("collections.abc").Sequence  # type: ignore[attr-defined]
        peer: Any = importlib.import_module(f"{_PEER}.frame")
    except ImportError:
        return {}
    read = peer.CommonFrame.convert2frame(configuration)
    made = peer.DataFrame.convert2frame(frame, read)
    return {
        "peer decode": lambda: peer.DataFrame.convert2frame(frame, read),
        "peer encode": made.convert2bytes,
    }
