"""What the lab could reach of this machine: listeners here, and attempts from within."""

import json
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import psutil

ATTEMPTS = """
import json, os, socket, struct, sys

def reaches(kind, address, port):
    info = socket.getaddrinfo(address, port)[0]
    types = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "icmp": socket.SOCK_RAW}
    with socket.socket(info[0], types[kind], socket.IPPROTO_ICMP if kind == "icmp" else 0) as own:
        own.settimeout(2)
        own.connect(info[4])
        # A request for an echo, with its checksum and a number that no attempt before
        # had; to the others it is any data.
        number = os.getpid() % 0x8000
        own.send(struct.pack("!BBHHH", 8, 0, 0xF7FF - number, number, 0))
        answer = own.recv(64)
        # An error has another type than the echo, behind 20 bytes of IPv4's header.
        return answer[20] == 0 if kind == "icmp" else bool(answer)

for kind, address, port in json.loads(sys.argv[1]):
    try:
        if reaches(kind, address, port):
            print(kind, address)
    except OSError:
        pass
"""
"""Prints those of the given targets that answer."""

Target = tuple[str, str, int]


@contextmanager
def listeners(bridge: str) -> Iterator[list[Target]]:
    """Answer by TCP and UDP at addresses of this machine, and return what a node may try.

    They are `bridge`, its address on the lab's network, that network's own of IPv6, and
    one of another network.
    """
    with ExitStack() as stack:
        targets: list[Target] = [("icmp", bridge, 0)]
        for address in _addresses(bridge):
            port = 0
            for kind, answer in ((socket.SOCK_STREAM, _accept), (socket.SOCK_DGRAM, _echo)):
                where = socket.getaddrinfo(address, port, type=kind)[0]
                one = stack.enter_context(socket.socket(where[0], kind))
                one.bind(where[4])
                if kind == socket.SOCK_STREAM:
                    one.listen()
                port = one.getsockname()[1]
                # Closing alone does not wake the thread that waits.
                stack.callback(_wake, one)
                threading.Thread(target=answer, args=(one,), daemon=True).start()
                name = "tcp" if kind == socket.SOCK_STREAM else "udp"
                # The scope of an address of IPv6 is the node's own interface there.
                targets.append((name, re.sub("%.*", "%eth0", address), port))
        yield targets


def _addresses(bridge: str) -> list[str]:
    found = psutil.net_if_addrs()
    lab = next(name for name, all_of in found.items() if bridge in {a.address for a in all_of})
    six = next(a.address for a in found[lab] if a.family == socket.AF_INET6)
    others = [
        address.address
        for name, all_of in found.items()
        if name not in ("lo", lab)
        for address in all_of
        if address.family == socket.AF_INET
    ]
    return [bridge, f"{six.partition('%')[0]}%{lab}", others[0]]


def attempts(wanted: Sequence[Target]) -> list[str]:
    """Return the command that prints, on a node or in a pod, what it reaches of `wanted`."""
    return ["python3", "-c", ATTEMPTS, json.dumps(wanted)]


def _wake(one: socket.socket) -> None:
    with suppress(OSError):  # An unconnected one refuses, but wakes.
        one.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket) -> None:
    try:
        while True:
            with listening.accept()[0] as connection:
                connection.sendall(connection.recv(64))
    except OSError:
        return


def _echo(bound: socket.socket) -> None:
    try:
        while True:
            data, source = bound.recvfrom(64)
            if source is None:
                return
            bound.sendto(data, source)
    except OSError:
        return
