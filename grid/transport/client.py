"""A blocking client of C37.118 streams, for probes and status commands.

for event in client.receive("10.0.0.7", 4712, idcode=20):
    if isinstance(event, client.Frame):
        print(event.data.stamp.soc, event.fraction)
"""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from grid.c37118 import Configuration, DataFrame, Problem, ReceiverSession
from grid.transport import sockets
from service.backoff import Backoff
from service.socket_address import host_port

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_LAST_PAUSE_S = 1.0
_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """The TCP connection is open, and CFG-2 asked for."""

    t_ns: int
    """time.monotonic_ns() when it was."""
    address: str
    """HOST:PORT of the peer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Configured:
    """A CFG-2 arrived."""

    t_ns: int
    """time.monotonic_ns() of its arrival."""
    configuration: Configuration
    """What the stream sends from now on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A data frame arrived."""

    t_ns: int
    """time.monotonic_ns() of its arrival."""
    data: DataFrame
    """The frame; grid.c37118.read() turns its numbers into physical units."""
    fraction: float
    """Its fraction of a second, in seconds, by the stream's TIME_BASE."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Disconnected:
    """There is no connection: it could not be made, or it ended."""

    t_ns: int
    """time.monotonic_ns() when that was known."""
    address: str
    """HOST:PORT that was tried."""
    why: str
    """The reason, as one sentence."""
    was_connected: bool
    """False where the connection was never made."""


StreamEvent = Connected | Configured | Frame | Disconnected


def receive(
    host: str,
    port: int,
    *,
    idcode: int,
    connect_timeout_s: float = 1.0,
    silence_s: float = 1.0,
    stop: threading.Event | None = None,
) -> Iterator[StreamEvent]:
    """Connect once and yield what happens; the last event is Disconnected.

    The peer counts as dead after `silence_s` without a data frame, counted from the
    connection at first, or after 2.5 periods of a slow stream. Setting `stop`
    ends it within 0.1 s. Network errors are not raised: they are the reason in
    Disconnected.
    """
    address = host_port((host, port))
    stop = stop or threading.Event()
    try:
        sock = socket.create_connection((host, port), timeout=connect_timeout_s)
    except OSError as error:
        yield _ended(address, f"cannot connect: {error.strerror or error}", was_connected=False)
        return
    with sock:
        yield Connected(t_ns=time.monotonic_ns(), address=address)
        try:
            sockets.harden(sock, user_timeout_s=silence_s)
            yield from _session(sock, ReceiverSession(idcode), silence_s, stop)
            why = "stopped by this side"
        except OSError as error:
            why = error.strerror or str(error)
        yield _ended(address, why, was_connected=True)


def watch(
    host: str,
    port: int,
    *,
    idcode: int,
    connect_timeout_s: float = 1.0,
    silence_s: float = 1.0,
    stop: threading.Event,
) -> Iterator[StreamEvent]:
    """Yield what happens, connecting again and again until `stop` is set.

    Pauses between attempts grow from 0.1 s to 1 s, and start at 0.1 s again after a frame.
    """
    pauses = Backoff(_FIRST_PAUSE_S, _LAST_PAUSE_S)
    while not stop.is_set():
        for event in receive(
            host,
            port,
            idcode=idcode,
            connect_timeout_s=connect_timeout_s,
            silence_s=silence_s,
            stop=stop,
        ):
            if isinstance(event, Frame):
                pauses.reset()
            yield event
        stop.wait(pauses.pause_s())


def _session(
    sock: socket.socket, session: ReceiverSession, silence_s: float, stop: threading.Event
) -> Iterator[StreamEvent]:
    session.open()
    heard_s = time.monotonic()
    _flush(sock, session, silence_s)
    stop.wait(session.SETTLE_S)
    session.ask()
    while not stop.is_set():
        _flush(sock, session, silence_s)
        limit_s = session.silence_s(silence_s)
        left_s = limit_s - (time.monotonic() - heard_s)
        if left_s <= 0:
            what = "data frame" if session.codec else "configuration"
            raise TimeoutError(f"no {what} for {limit_s:g} s: the peer counts as dead")
        sock.settimeout(min(left_s, _POLL_S))
        try:
            received = sock.recv(65536)
        except TimeoutError as error:
            if error.errno is not None:
                raise  # The kernel gave up the connection; without errno only the poll ended.
            continue
        t_ns = time.monotonic_ns()
        if not received:
            raise ConnectionError("closed by the peer")
        for event in session.feed(received):
            if isinstance(event, Configuration):
                # Data are turned on now, not when the caller asks for the next event.
                _flush(sock, session, silence_s)
                yield Configured(t_ns=t_ns, configuration=event)
            elif isinstance(event, Problem):
                _LOG.warning("%s", event.what)
            elif session.codec is not None and isinstance(event, bytes):
                heard_s = time.monotonic()
                data = session.codec.decode(event)
                time_base = session.codec.configuration.time_base
                yield Frame(t_ns=t_ns, data=data, fraction=data.stamp.fraction(time_base))


def _flush(sock: socket.socket, session: ReceiverSession, limit_s: float) -> None:
    if commands := session.commands():
        sock.settimeout(limit_s)
        sock.sendall(b"".join(commands))


def _ended(address: str, why: str, *, was_connected: bool) -> Disconnected:
    return Disconnected(
        t_ns=time.monotonic_ns(), address=address, why=why, was_connected=was_connected
    )
