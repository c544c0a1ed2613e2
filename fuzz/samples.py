"""Frames of other programs and of the standard's annex D, from tests/data."""

import struct
from collections.abc import Iterator
from pathlib import Path

import yaml

from grid import c37118

DATA = Path(__file__).parents[1] / "tests" / "data" / "synchrophasor"

_ETHERNET = 14
_TCP, _UDP = 6, 17


def annex_d() -> dict[str, bytes]:
    """Return the example frames of C37.118.2-2011, annex D, by their names."""
    hexadecimal = yaml.safe_load((DATA / "vectors" / "annex-d.yml").read_text())
    return {name: bytes.fromhex(digits) for name, digits in hexadecimal.items()}


def fluidos() -> dict[str, bytes]:
    """Return the raw CFG-2 frame in each of iPDC's set-up files."""
    frames = {}
    for path in sorted((DATA / "vectors").glob("fluidos-pmu-*.bin")):
        _, _, title, rest = path.read_bytes().split(b"\n", 3)
        frames[path.stem] = rest[: int(title.split()[2])]
    return frames


def payloads(path: Path) -> Iterator[tuple[tuple[bytes, int], bytes]]:
    """Yield sender and payload of each packet of a little-endian Ethernet pcap."""
    raw = path.read_bytes()
    magic, *_, link = struct.unpack_from("<LHHlLLL", raw)
    assert (magic, link) == (0xA1B2C3D4, 1)
    at = 24
    while at < len(raw):
        size = struct.unpack_from("<LLLL", raw, at)[2]
        ip = raw[at + 16 + _ETHERNET : at + 16 + size]
        at += 16 + size
        header, total = (ip[0] & 0xF) * 4, int.from_bytes(ip[2:4], "big")
        transport = ip[header:total]
        start = (transport[12] >> 4) * 4 if ip[9] == _TCP else 8
        assert ip[9] in (_TCP, _UDP)
        yield (ip[12:16], int.from_bytes(transport[:2], "big")), transport[start:]


def captures() -> dict[str, list[bytes]]:
    """Return all frames of each capture, in the order of each sender's bytes."""
    found = {}
    for path in sorted((DATA / "captures").glob("*.pcap")):
        readers: dict[tuple[bytes, int], c37118.Reassembler] = {}
        frames = []
        for sender, payload in payloads(path):
            reader = readers.setdefault(sender, c37118.Reassembler())
            frames += reader.feed(payload)
        assert all(reader.skipped_bytes == 0 for reader in readers.values())
        found[path.stem] = frames
    return found
