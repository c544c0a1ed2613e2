"""IEEE C37.118-2005 and C37.118.2-2011 without input or output: frames and sessions.

A program feeds a ReceiverSession or a SenderSession with the bytes it receives, and gets
events and the bytes to send. The frames alone: Reassembler cuts whole frames out of a byte
stream, DataCodec reads the data frames of a Configuration. Every decoder raises FrameError
and nothing else; encoding a decoded frame gives the same bytes.

Other packages import from here, not from the modules below.
"""

from grid.c37118.errors import FrameError
from grid.c37118.frames.clocks import LOCKED, UNRELIABLE, Stamp, TimeQuality
from grid.c37118.frames.command import Command, CommandFrame, HeaderFrame
from grid.c37118.frames.configuration import Configuration
from grid.c37118.frames.configuration3 import Configuration3, Fragments
from grid.c37118.frames.data import BlockCodec, DataCodec, DataFrame, PmuData
from grid.c37118.frames.envelope import VERSION_2005, VERSION_2011, FrameType, frame_type
from grid.c37118.frames.scale import AnalogScale, Component, PhasorScale
from grid.c37118.frames.station import (
    AnalogUnit,
    DigitalUnit,
    Format,
    PhasorUnit,
    Station,
    unit_factor,
)
from grid.c37118.frames.station3 import Station3
from grid.c37118.frames.status import ABSENT, QUALITY_UNKNOWN, DataError, Stat
from grid.c37118.frames.values import Measurement, absent, read, write
from grid.c37118.session.answers import Answer, answer_frames, standard_answer
from grid.c37118.session.reassembler import Reassembler
from grid.c37118.session.receiver_session import ReceiverEvent, ReceiverSession
from grid.c37118.session.sender_session import (
    BadRequest,
    CommandCounts,
    DataSwitch,
    Reply,
    SenderEvent,
    SenderSession,
    SessionOpened,
)
from grid.c37118.session.violations import Problem, ReceiverCounts, Violation

__all__ = [
    "ABSENT",
    "LOCKED",
    "QUALITY_UNKNOWN",
    "UNRELIABLE",
    "VERSION_2005",
    "VERSION_2011",
    "AnalogScale",
    "AnalogUnit",
    "Answer",
    "BadRequest",
    "BlockCodec",
    "Command",
    "CommandCounts",
    "CommandFrame",
    "Component",
    "Configuration",
    "Configuration3",
    "DataCodec",
    "DataError",
    "DataFrame",
    "DataSwitch",
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
    "Problem",
    "Reassembler",
    "ReceiverCounts",
    "ReceiverEvent",
    "ReceiverSession",
    "Reply",
    "SenderEvent",
    "SenderSession",
    "SessionOpened",
    "Stamp",
    "Stat",
    "Station",
    "Station3",
    "TimeQuality",
    "Violation",
    "absent",
    "answer_frames",
    "frame_type",
    "read",
    "standard_answer",
    "unit_factor",
    "write",
]
