"""The fields common to all frames: SYNC, FRAMESIZE, IDCODE, time stamp, CHK (6.2, table 2)."""

import binascii
import enum
import struct
from dataclasses import dataclass

from grid.c37118.errors import FrameError
from grid.c37118.frames.clocks import Stamp

SYNC_BYTE = 0xAA
OVERHEAD = 16
"""Bytes of the smallest frame: 14 before the body, 2 of CRC after it."""
HEAD = 14
STAMP = 6
"""Byte offset of SOC and FRACSEC."""
MAX_SIZE = 0xFFFF
VERSION_2005 = 1
VERSION_2011 = 2

_HEAD = struct.Struct(">BBHHLL")


class FrameType(enum.IntEnum):
    """Bits 6-4 of the second SYNC byte."""

    DATA = 0
    HEADER = 1
    CFG1 = 2
    CFG2 = 3
    COMMAND = 4
    CFG3 = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The fields that all frames share."""

    type: FrameType
    """What the frame carries."""
    version: int
    """1 for C37.118-2005, 2 for C37.118.2-2011."""
    idcode: int
    """The stream's id, 1..65534 by the standard; any 16 bits are read."""
    stamp: Stamp
    """Time of the data, or time of sending for the other frames."""


def crc(data: bytes | bytearray | memoryview) -> int:
    """Return CHK over `data`: CRC-CCITT, polynomial 0x1021, initial value 0xFFFF (annex B)."""
    return binascii.crc_hqx(data, 0xFFFF)


def sync_plausible(first: int, second: int) -> bool:
    """Tell whether two bytes can be the SYNC of a frame of version 2005 or 2011."""
    return first == SYNC_BYTE and second >> 4 <= FrameType.CFG3 and second & 0xF in (1, 2)


def frame_type(frame: bytes) -> FrameType:
    """Return the type of a frame by its second byte."""
    if len(frame) < OVERHEAD:
        raise FrameError(f"{len(frame)} bytes are too few for a frame")
    if not sync_plausible(frame[0], frame[1]):
        raise FrameError(f"SYNC {frame[:2].hex()} is of no known frame type and version")
    return FrameType(frame[1] >> 4)


def unpack(frame: bytes) -> tuple[Envelope, bytes]:
    """Return the envelope and the body of one whole frame; FrameError if it is not one."""
    return read(frame), frame[HEAD:-2]


def read(frame: bytes) -> Envelope:
    """Return the envelope of one whole frame; FrameError if it is not one."""
    kind = frame_type(frame)
    _, second, size, idcode, soc, fracsec = _HEAD.unpack_from(frame)
    if size != len(frame):
        raise FrameError(f"the frame says {size} bytes and has {len(frame)}")
    wanted, found = crc(frame[:-2]), int.from_bytes(frame[-2:], "big")
    if wanted != found:
        raise FrameError(f"CRC is {found:04x}, should be {wanted:04x}")
    return Envelope(
        type=kind,
        version=second & 0xF,
        idcode=idcode,
        stamp=Stamp.from_words(soc, fracsec),
    )


def pack(envelope: Envelope, body: bytes) -> bytes:
    """Return the frame's bytes; FrameError if a field does not fit."""
    size = len(body) + OVERHEAD
    if size > MAX_SIZE:
        raise FrameError(f"a frame of {size} bytes exceeds the {MAX_SIZE} bytes of FRAMESIZE")
    if envelope.version not in (VERSION_2005, VERSION_2011):
        raise FrameError(f"version {envelope.version} is neither 1 (2005) nor 2 (2011)")
    if not 0 <= envelope.idcode <= 0xFFFF:
        raise FrameError(f"IDCODE {envelope.idcode} does not fit into 16 bits")
    soc, fracsec = envelope.stamp.words()
    second = envelope.type << 4 | envelope.version
    frame = _HEAD.pack(SYNC_BYTE, second, size, envelope.idcode, soc, fracsec) + body
    return frame + crc(frame).to_bytes(2, "big")
