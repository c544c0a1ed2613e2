"""Reading packets from pcap and pcapng files.

The needed part of the formats is small, and the one library without dependencies, dpkt,
had its last release in 2022.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

_PCAP = {0xA1B2C3D4: 1_000, 0xA1B23C4D: 1}
"""Magic number, and nanoseconds a unit of the second's fraction."""
_PCAPNG = 0x0A0D0D0A
_BYTE_ORDER = 0x1A2B3C4D
_INTERFACE, _SIMPLE, _ENHANCED = 1, 3, 6
_TSRESOL, _TSOFFSET = 9, 14
_LONGEST_BLOCK = 1 << 24
"""No packet or block is longer, in bytes; a larger size means damage."""


class CaptureError(ValueError):
    """The file is no capture, or it is damaged."""


class Packet(NamedTuple):
    """One recorded packet."""

    t_ns: int | None
    """Time of capture, ns since 1970-01-01 UTC; None where the file has none."""
    link: int
    """The link type: the protocol of the first header (LINKTYPE of tcpdump.org)."""
    data: bytes
    """The bytes from the link header on, up to the snapshot length of the capture."""


def read(path: Path) -> Iterator[Packet]:
    """Yield the packets of a file, in its order.

    CaptureError where it cannot be read, where it is no pcap or pcapng or where it is
    damaged. A file that ends inside a packet, as of a capture that still runs, ends with
    the packet before.
    """
    try:
        opened = path.open("rb")
    except OSError as error:
        raise CaptureError(error.strerror or str(error)) from error
    with opened as file:
        magic = file.read(4)
        if len(magic) == 4:
            if int.from_bytes(magic, "big") == _PCAPNG:
                yield from _pcapng(file)
                return
            for order in "<>":
                (number,) = struct.unpack(order + "L", magic)
                if number in _PCAP:
                    yield from _pcap(file, order, _PCAP[number])
                    return
    raise CaptureError("it is neither pcap nor pcapng")


def _pcap(file: BinaryIO, order: str, unit_ns: int) -> Iterator[Packet]:
    header = file.read(20)
    if len(header) < 20:
        raise CaptureError("it ends inside its header")
    link = struct.unpack(order + "L", header[16:])[0] & 0x0FFFFFFF
    record = struct.Struct(order + "LLLL")
    while len(head := file.read(record.size)) == record.size:
        seconds, fraction, size, _ = record.unpack(head)
        if size > _LONGEST_BLOCK:
            raise CaptureError(f"a packet of {size} bytes is damage at byte {file.tell()}")
        data = file.read(size)
        if len(data) < size:
            return
        yield Packet(seconds * 1_000_000_000 + fraction * unit_ns, link, data)


@dataclass(kw_only=True, slots=True)
class _Interface:
    """Link type and time resolution of one interface of a pcapng section."""

    link: int
    per_second: int = 1_000_000
    """Units of the time stamp a second."""
    offset_s: int = 0


def _pcapng(file: BinaryIO) -> Iterator[Packet]:
    file.seek(0)
    order = "<"
    interfaces: list[_Interface] = []
    while len(head := file.read(8)) == 8:
        if int.from_bytes(head[:4], "big") == _PCAPNG:
            (found,) = struct.unpack("<L", file.read(4).ljust(4, b"\0"))
            order = "<" if found == _BYTE_ORDER else ">"
            interfaces = []
            file.seek(-4, 1)
        kind, size = struct.unpack(order + "LL", head)
        if not 12 <= size <= _LONGEST_BLOCK:
            raise CaptureError(f"a block of {size} bytes is damage at byte {file.tell()}")
        block = file.read(size - 8)
        if len(block) < size - 8:
            return
        body = block[:-4]
        try:
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order))
            elif kind == _ENHANCED:
                number, high, low, captured = struct.unpack_from(order + "LLLL", body)
                one = interfaces[number]
                ticks = high << 32 | low
                t_ns = ticks * 1_000_000_000 // one.per_second + one.offset_s * 1_000_000_000
                yield Packet(t_ns, one.link, body[20 : 20 + captured])
            elif kind == _SIMPLE:
                (original,) = struct.unpack_from(order + "L", body)
                yield Packet(None, interfaces[0].link, body[4 : 4 + original])
        except (struct.error, IndexError) as error:
            raise CaptureError(f"a block before byte {file.tell()} is damaged") from error


def _interface(body: bytes, order: str) -> _Interface:
    (link,) = struct.unpack_from(order + "H", body)
    interface = _Interface(link=link)
    at = 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == _TSRESOL and size == 1:
            power = value[0] & 0x7F
            interface.per_second = 1 << power if value[0] & 0x80 else 10**power
        elif code == _TSOFFSET and size == 8:
            (interface.offset_s,) = struct.unpack(order + "q", value)
        at += 4 + (size + 3) // 4 * 4
    return interface
