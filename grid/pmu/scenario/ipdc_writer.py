"""Writes set-up files of iPDC's PMU simulator, for the PMUs that this kit simulates."""

import time
from dataclasses import replace

from grid.c37118 import (
    UNRELIABLE,
    VERSION_2005,
    Configuration,
    Format,
    FrameError,
    Stamp,
    TimeQuality,
)
from grid.pmu.scenario.ipdc import IpdcSetup
from grid.pmu.scenario.model import SimulatedPmu

_TIME_BASE = 0xFFFFFF
"""It counts fractions in 1/2^24 s, whatever the frame says; this is the nearest."""
_CHANNELS = 50
"""It has room for so many phasors, and for so many analog values."""
_FRAME_SIZE = 4999
"""It reads frames into a buffer of this size and one byte."""


def setup(pmu: SimulatedPmu, *, udp_port: int, tcp_port: int) -> IpdcSetup:
    """Return the set-up for a PMU: its ids, names, channels, units and rate.

    Its numbers are integers and its phasors rectangular, of C37.118-2005: what iPDC's simulator
    sends in other formats is not what the format says. There is no header, which would tell of
    signals that it doesn't send. FrameError where it can't be set up for the PMU.
    """
    station = pmu.channels.station
    if pmu.rate < 1:
        raise FrameError(f"a frame each {-pmu.rate} s; it sends one or more a second")
    if max(len(station.phasors), len(station.analogs)) > _CHANNELS:
        raise FrameError(f"it has room for {_CHANNELS} phasors and {_CHANNELS} analog values")
    integers = Format(float_phasors=False, float_analogs=False, float_frequency=False)
    return IpdcSetup(
        udp_port=udp_port,
        tcp_port=tcp_port,
        configuration=Configuration(
            idcode=pmu.idcode,
            stamp=Stamp.from_ns(time.time_ns(), _TIME_BASE, TimeQuality(code=UNRELIABLE)),
            time_base=_TIME_BASE,
            stations=(replace(station, format=integers),),
            data_rate=pmu.rate,
            version=VERSION_2005,
        ),
        header="",
    )


def encode(made: IpdcSetup) -> bytes:
    """Return the content of a set-up file without a header; FrameError if it does not fit."""
    frame = made.configuration.encode()
    if len(frame) > _FRAME_SIZE:
        raise FrameError(f"its configuration has {len(frame)} bytes, of {_FRAME_SIZE} at most")
    head = f"{made.udp_port}\n{made.tcp_port}\nCFG 1 {len(frame)}\n"
    return head.encode() + frame + b"\nHDR 0 0\n"
