"""Ports for what a test starts, which nobody else is given before it has bound them."""

import itertools
import os
import random
import socket

HOST = "127.0.0.1"
_FIRST, _EACH, _WORKERS = 16_000, 1_000, 14
"""Below net.ipv4.ip_local_port_range, of which the kernel takes the ports of clients and of
servers that name none, and below the node ports of Kubernetes."""


def _of_this_worker() -> range:
    """Return the ports of this worker of pytest-xdist; two workers share none."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    return range(_FIRST + worker * _EACH, _FIRST + (worker + 1) * _EACH)


_PORTS = itertools.cycle(random.sample(_of_this_worker(), _EACH))


def free_port() -> int:
    """Return a port that is free for TCP and UDP, another one at each call."""
    for port in itertools.islice(_PORTS, _EACH):
        if _free(socket.SOCK_STREAM, port) and _free(socket.SOCK_DGRAM, port):
            return port
    raise AssertionError(f"all ports of {_of_this_worker()} are taken")


def _free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as sock:
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True
