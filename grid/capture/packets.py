"""TCP segments and UDP datagrams from captured packets."""

import ipaddress
import struct
from typing import NamedTuple

from grid.capture.pcap import Packet
from service.socket_address import host_port

_NULL, _ETHERNET, _RAW_OPENBSD, _RAW = 0, 1, 12, 101
_LOOP, _LINUX_SLL, _IPV4, _IPV6, _LINUX_SLL2 = 108, 113, 228, 229, 276
_VLANS = (0x8100, 0x88A8, 0x9100)
_ETHERTYPES = (0x0800, 0x86DD)
_TCP, _UDP, _FRAGMENT = 6, 17, 44
_EXTENSIONS = (0, 43, 60)
"""IPv6 extension headers to skip."""
_MOST_FRAGMENTED = 256
"""Packets with missing fragments that are kept; the oldest is dropped first."""


class Endpoint(NamedTuple):
    """One end of a conversation."""

    host: str
    """IP address."""
    port: int

    def __str__(self) -> str:
        return host_port(tuple(self))


class Segment(NamedTuple):
    """A TCP segment or a UDP datagram."""

    t_ns: int | None
    """When its last part was captured."""
    source: Endpoint
    destination: Endpoint
    sequence: int | None
    """TCP sequence number of the first byte of the payload; None for UDP."""
    starts: bool
    """Whether a TCP connection starts with it."""
    payload: bytes


class Dissector:
    """Reads packets of the supported link types, and reassembles IP fragments."""

    def __init__(self) -> None:
        self._parts: dict[tuple[bytes, ...], dict[int, bytes]] = {}
        self._ends: dict[tuple[bytes, ...], int] = {}

    def segment(self, packet: Packet) -> Segment | None:
        """Return the segment that the packet carries or completes; None if there is none."""
        try:
            found = self._ip(_network(packet.link, packet.data))
            return found and _transport(packet.t_ns, *found)
        except (struct.error, IndexError):
            return None  # Cut off by the capture's snapshot length.

    def _ip(self, data: bytes) -> tuple[bytes, bytes, int, bytes] | None:
        """Return source, destination, protocol and payload of an IP packet."""
        if not data:
            return None
        if data[0] >> 4 == 6:
            return self._ip6(data)
        if data[0] >> 4 != 4:
            return None
        header = (data[0] & 0xF) * 4
        total, number, fragment = struct.unpack_from(">HHH", data, 2)
        source, destination, protocol = data[12:16], data[16:20], data[9]
        # The total length is 0 where the network card cuts large segments (TSO).
        payload: bytes | None = data[header : total or None]
        if fragment & 0x3FFF:
            key = (source, destination, data[9:10], number.to_bytes(4, "big"))
            more, offset = bool(fragment & 0x2000), (fragment & 0x1FFF) * 8
            payload = self._join(key, offset, payload or b"", more=more)
        return None if payload is None else (source, destination, protocol, payload)

    def _ip6(self, data: bytes) -> tuple[bytes, bytes, int, bytes] | None:
        (size,) = struct.unpack_from(">H", data, 4)
        source, destination, protocol = data[8:24], data[24:40], data[6]
        payload: bytes | None = data[40 : 40 + size if size else None]
        while payload is not None and protocol in (*_EXTENSIONS, _FRAGMENT):
            following = payload[0]
            if protocol == _FRAGMENT:
                offset, number = struct.unpack_from(">H4s", payload, 2)
                key = (source, destination, payload[:1], number)
                payload = self._join(key, offset & 0xFFF8, payload[8:], more=bool(offset & 1))
            else:
                payload = payload[8 + 8 * payload[1] :]
            protocol = following
        return None if payload is None else (source, destination, protocol, payload)

    def _join(
        self, key: tuple[bytes, ...], offset: int, payload: bytes, *, more: bool
    ) -> bytes | None:
        """Keep one fragment; return the whole payload once it is complete."""
        while len(self._parts) >= _MOST_FRAGMENTED and key not in self._parts:
            oldest = next(iter(self._parts))
            del self._parts[oldest]
            self._ends.pop(oldest, None)
        parts = self._parts.setdefault(key, {})
        parts[offset] = payload
        if not more:
            self._ends[key] = offset + len(payload)
        whole = b""
        while (part := parts.get(len(whole))) is not None and part:
            whole += part
        if len(whole) != self._ends.get(key):
            return None
        del self._parts[key], self._ends[key]
        return whole


def _network(link: int, data: bytes) -> bytes:
    """Return the IP packet behind a link's header; empty if there is none."""
    if link in (_RAW, _RAW_OPENBSD, _IPV4, _IPV6):
        return data
    if link in (_NULL, _LOOP):
        return data[4:]
    if link == _LINUX_SLL:
        return _tagged(data, 14)
    if link == _LINUX_SLL2:
        return data[20:] if int.from_bytes(data[:2], "big") in _ETHERTYPES else b""
    return _tagged(data, 12) if link == _ETHERNET else b""


def _tagged(data: bytes, at: int) -> bytes:
    """Return what follows the EtherType at `at`, and any VLAN tags."""
    while (kind := int.from_bytes(data[at : at + 2], "big")) in _VLANS:
        at += 4
    return data[at + 2 :] if kind in _ETHERTYPES else b""


def _transport(
    t_ns: int | None, source: bytes, destination: bytes, protocol: int, data: bytes
) -> Segment | None:
    if protocol not in (_TCP, _UDP):
        return None
    here, there = struct.unpack_from(">HH", data)
    ends = Endpoint(_host(source), here), Endpoint(_host(destination), there)
    if protocol == _UDP:
        (size,) = struct.unpack_from(">H", data, 4)
        return Segment(t_ns, *ends, None, False, data[8 : size or None])
    (sequence,) = struct.unpack_from(">L", data, 4)
    starts = bool(data[13] & 0x02)
    return Segment(
        t_ns, *ends, (sequence + starts) & 0xFFFFFFFF, starts, data[(data[12] >> 4) * 4 :]
    )


def _host(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))
