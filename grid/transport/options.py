"""Socket options and addresses that PMU, PDC and client share."""

import socket
import sys

_LINUX = sys.platform == "linux"


def harden(sock: socket.socket, *, user_timeout_s: float) -> None:
    """Make the kernel notice a peer that went away without a word.

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


def text(address: object) -> str:
    """Return a socket address as HOST:PORT."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = str(address[0]), address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return str(address)
