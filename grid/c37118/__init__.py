"""Frames of IEEE C37.118-2005 and C37.118.2-2011: data, header, CFG-1 to CFG-3, command.

Decoding needs whole frames, which Reassembler cuts out of a byte stream; data frames
need the stream's Configuration too, held by a DataCodec. Every decoder raises FrameError
and nothing else; encoding what was decoded gives the same bytes.
"""

from grid.c37118.clocks import LOCKED, UNRELIABLE, Stamp, TimeQuality
from grid.c37118.command import Command, CommandFrame, HeaderFrame
from grid.c37118.configuration import Configuration
from grid.c37118.configuration3 import Configuration3, Fragments
from grid.c37118.data import BlockCodec, DataCodec, DataFrame, PmuData
from grid.c37118.envelope import VERSION_2005, VERSION_2011, FrameType, frame_type
from grid.c37118.errors import FrameError
from grid.c37118.scale import AnalogScale, Component, PhasorScale
from grid.c37118.station import (
    AnalogUnit,
    DigitalUnit,
    Format,
    PhasorUnit,
    Station,
    unit_factor,
)
from grid.c37118.station3 import Station3
from grid.c37118.status import ABSENT, QUALITY_UNKNOWN, DataError, Stat
from grid.c37118.stream import Reassembler
from grid.c37118.values import Measurement, absent, read, write

__all__ = [
    "ABSENT",
    "LOCKED",
    "QUALITY_UNKNOWN",
    "UNRELIABLE",
    "VERSION_2005",
    "VERSION_2011",
    "AnalogScale",
    "AnalogUnit",
    "BlockCodec",
    "Command",
    "CommandFrame",
    "Component",
    "Configuration",
    "Configuration3",
    "DataCodec",
    "DataError",
    "DataFrame",
    "DigitalUnit",
    "Format",
    "Fragments",
    "FrameError",
    "FrameType",
    "HeaderFrame",
    "Measurement",
    "PhasorScale",
    "PhasorUnit",
    "PmuData",
    "Reassembler",
    "Stamp",
    "Stat",
    "Station",
    "Station3",
    "TimeQuality",
    "absent",
    "frame_type",
    "read",
    "unit_factor",
    "write",
]
