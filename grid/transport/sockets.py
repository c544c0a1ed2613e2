"""UDP sockets, and the socket options of TCP, UDP and multicast for IPv4 and IPv6."""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

from grid.transport.address import Address

_RECEIVE_BUFFER = 1 << 20
"""Receive buffer of a receiver, large enough for a burst of many senders."""

_LINUX = sys.platform == "linux"
_IP_RECVERR, _IPV6_RECVERR = 11, 25
"""linux/in.h and in6.h; Python 3.11 has no names for them."""


def harden(sock: socket.socket, *, user_timeout_s: float) -> None:
    """Make the kernel notice a peer that is gone without closing the connection.

    Small frames leave at once (no Nagle), an idle connection is probed each second, and
    a connection whose peer acknowledged nothing for `user_timeout_s` is ended.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if _LINUX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, max(1, round(user_timeout_s)))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(user_timeout_s * 1000))


async def listening(host: str, port: int) -> list[socket.socket]:
    """Return bound UDP sockets, one for each address family of `host` (empty: all).

    OSError where the address is not available.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, *_, address in found:
            try:
                sock = _datagram(family)
            except OSError:
                continue  # The kernel lacks this family, as in a container without IPv6.
            sockets.append(sock)
            if sockets[0] is not sock and not port:
                # The free port of the first family is used for the other too.
                address = (address[0], sockets[0].getsockname()[1], *address[2:])  # noqa: PLW2901
            sock.bind(address)
            _report_errors(sock)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    if not sockets:
        raise OSError(f"no address to listen on at {host or 'all addresses'}")
    return sockets


async def receiving(address: Address) -> socket.socket:
    """Return a receiver's bound UDP socket for data of any sender.

    It is bound to the data port with TCP_UDP, otherwise to the address itself, as a member
    of the group if it is one. OSError where that is not available.
    """
    host = "" if address.data_port else address.host
    port = address.data_port or address.port
    if host:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, *_, where = found[0]
    else:
        # One socket for both families; IPv4 senders appear as ::ffff:a.b.c.d in it.
        family, where = _all_addresses(port)
    sock = _datagram(family, both=not host)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if address.multicast:
            # Several receivers of one machine may listen to a group.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(scoped(address, where))
        if address.multicast:
            _join(sock, where[0], address.interface)
    except BaseException:
        sock.close()
        raise
    return sock


def sending(family: socket.AddressFamily, address: Address) -> socket.socket:
    """Return a UDP socket for sending data; OSError if the interface is unknown."""
    sock = _datagram(family)
    try:
        if address.multicast:
            index = socket.if_nametoindex(address.interface) if address.interface else 0
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, address.ttl)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            else:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, address.ttl)
                request = struct.pack("4s4si", b"", b"", index)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    except BaseException:
        sock.close()
        raise
    return sock


def scoped(address: Address, where: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a socket address with the interface index that an IPv6 group needs."""
    if address.interface and len(where) == 4:
        return where[0].partition("%")[0], where[1], 0, socket.if_nametoindex(address.interface)
    return where


def unreachable(sock: socket.socket) -> Iterator[tuple[Any, ...]]:
    """Yield the destinations that the network reported as unreachable.

    Linux only; elsewhere there are none.
    """
    if not _LINUX:
        return
    while True:
        try:
            *_, destination = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return
        yield destination


def reason_of(error: BaseException) -> str:
    """Return why something failed; empty for a time limit of this program's own."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)  # asyncio's own text repeats the address.
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # Of a name that cannot be resolved.
    return str(error)


def _datagram(family: int, *, both: bool = False) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
    return sock


def _all_addresses(port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    if socket.has_dualstack_ipv6():
        return socket.AF_INET6, ("::", port)
    return socket.AF_INET, ("0.0.0.0", port)  # noqa: S104 - all is what was asked for


def _report_errors(sock: socket.socket) -> None:
    """Let the kernel queue the errors that the network reports for datagrams."""
    if _LINUX:
        six = sock.family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        sock.setsockopt(level, _IPV6_RECVERR if six else _IP_RECVERR, 1)


def _join(sock: socket.socket, group: str, interface: str) -> None:
    index = socket.if_nametoindex(interface) if interface else 0
    if sock.family == socket.AF_INET6:
        packed = socket.inet_pton(socket.AF_INET6, group.partition("%")[0])
        sock.setsockopt(
            socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed + struct.pack("@i", index)
        )
    else:
        request = struct.pack("4s4si", socket.inet_pton(socket.AF_INET, group), b"", index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
