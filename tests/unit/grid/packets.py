"""Captures made by hand: conversations over TCP and UDP, IPv4 and IPv6, on several links."""

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

PORT = 4712
CLIENT_PORT = 40000
ADDRESSES = {
    4: (ipaddress.ip_address("10.0.0.1").packed, ipaddress.ip_address("10.0.0.2").packed),
    6: (ipaddress.ip_address("fd00::1").packed, ipaddress.ip_address("fd00::2").packed),
}
"""Client and server."""
ETHERNET, RAW, LINUX_SLL, LINUX_SLL2 = 1, 101, 113, 276
SYN, ACK, PUSH, RST = 0x02, 0x10, 0x18, 0x04
START_S = 1_700_000_000
_TCP, _UDP = 6, 17
_MOST_BYTES = 60_000
"""Of one segment; an IP packet holds little more."""


def ip(
    from_server: bool, protocol: int, payload: bytes, version: int = 4, offset: int = 0
) -> bytes:
    """Return an IP packet; `offset` is the word with flags and offset of IPv4 fragments."""
    client, server = ADDRESSES[version]
    here, there = (server, client) if from_server else (client, server)
    if version == 6:
        return struct.pack(">LHBB", 6 << 28, len(payload), protocol, 64) + here + there + payload
    return (
        struct.pack(
            ">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, offset, 64, protocol, 0
        ) + here + there + payload
    )  # fmt: skip


def udp(from_server: bool, payload: bytes, version: int = 4, port: int = PORT) -> bytes:
    """Return one datagram in its IP packet."""
    here, there = (port, CLIENT_PORT) if from_server else (CLIENT_PORT, port)
    # Over IPv4 a checksum of 0 means that there is none; IPv6 demands one.
    header = struct.pack(">HHHH", here, there, 8 + len(payload), 0)
    if version == 6:
        client, server = ADDRESSES[6]
        pseudo = client + server + struct.pack(">LL", 8 + len(payload), _UDP)
        header = header[:6] + _checksum(pseudo + header + payload).to_bytes(2, "big")
    return ip(from_server, _UDP, header + payload, version)


class Tcp:
    """A TCP connection: each call returns one packet."""

    def __init__(self, version: int = 4, client_port: int = CLIENT_PORT) -> None:
        self._version = version
        self._client_port = client_port
        self.sequence = {False: 0xFFFFFF00, True: 5000}
        """Next sequence number by direction; the client's soon begins anew at 0."""

    def handshake(self) -> list[bytes]:
        return [self.packet(False, SYN), self.packet(True, SYN | ACK), self.packet(False, ACK)]

    def packet(self, from_server: bool, flags: int = PUSH, payload: bytes = b"") -> bytes:
        ports = (PORT, self._client_port) if from_server else (self._client_port, PORT)
        packet = struct.pack(
            ">HHLLBBHHH", *ports, self.sequence[from_server],
            self.sequence[not from_server] if flags & ACK else 0, 5 << 4, flags, 65535, 0, 0,
        )  # fmt: skip
        advance = len(payload) + bool(flags & SYN)
        self.sequence[from_server] = (self.sequence[from_server] + advance) & 0xFFFFFFFF
        return ip(from_server, _TCP, packet + payload, self._version)


def conversation(segments: Sequence[tuple[bool, bytes]], version: int = 4) -> list[bytes]:
    """Return the packets of a TCP conversation; segments are (from the server, payload)."""
    tcp = Tcp(version)
    made = tcp.handshake()
    for server, payload in segments:
        for at in range(0, len(payload), _MOST_BYTES):
            made.append(tcp.packet(server, PUSH, payload[at : at + _MOST_BYTES]))
    return made


def datagrams(segments: Sequence[tuple[bool, bytes]], version: int = 4) -> list[bytes]:
    """Return the packets of a UDP conversation."""
    return [udp(server, payload, version) for server, payload in segments]


def link(packet: bytes, kind: int, vlans: Sequence[int] = ()) -> bytes:
    """Return a packet with the header of a link in front of it."""
    ethertype = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    if kind == RAW:
        return packet
    if kind == LINUX_SLL:
        return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), ethertype) + packet
    if kind == LINUX_SLL2:
        return struct.pack(">HHLHBB8s", ethertype, 0, 1, 1, 0, 6, bytes(8)) + packet
    tags = b"".join(struct.pack(">HH", 0x8100, vlan) for vlan in vlans)
    return bytes(12) + tags + ethertype.to_bytes(2, "big") + packet


def write(
    path: Path,
    packets: Iterable[bytes],
    kind: int = RAW,
    vlans: Sequence[int] = (),
    times_s: Sequence[float] | None = None,
) -> Path:
    """Write a little-endian pcap, one packet a millisecond unless times are given."""
    content = [struct.pack("<LHHlLLL", 0xA1B2C3D4, 2, 4, 0, 0, 262144, kind)]
    for index, packet in enumerate(packets):
        micros = round((times_s[index] if times_s else START_S + index / 1000) * 1e6)
        framed = link(packet, kind, vlans)
        content.append(
            struct.pack("<LLLL", micros // 10**6, micros % 10**6, len(framed), len(framed)) + framed
        )
    path.write_bytes(b"".join(content))
    return path


def _checksum(data: bytes) -> int:
    words = struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF) or 0xFFFF
