"""The frames with which a sender answers commands (6.6, table 15)."""

from collections.abc import Callable
from dataclasses import replace

from grid.c37118.frames.command import Command, HeaderFrame
from grid.c37118.frames.configuration import Configuration
from grid.c37118.frames.configuration3 import Configuration3
from grid.c37118.frames.envelope import FrameType

_LONGEST_DATAGRAM = 65_507
"""Bytes of a datagram over IPv4; a longer CFG-3 is split, so that it fits every transport."""

Answer = Callable[[int], bytes | tuple[bytes, ...] | None]
"""Given a command, returns the frame or frames to send back, or None where there is none."""


def standard_answer(
    command: int,
    configuration: Configuration,
    *,
    header: str,
    details: Callable[[], Configuration3] | None = None,
) -> bytes | tuple[bytes, ...] | None:
    """Return what a stream of this CFG-2 answers to a command; None where it has no answer.

    CFG-1 says the same as CFG-2: the sender sends all that it is able to. `header` is the
    text of the header frame; `details` makes the CFG-3 of a sender that has one of its own.
    """
    if command == Command.SEND_CFG2:
        return configuration.encode()
    if command == Command.SEND_CFG1:
        return replace(configuration, type=FrameType.CFG1).encode()
    if command == Command.SEND_CFG3 and details is not None:
        return details().encode()
    if command == Command.SEND_HEADER:
        return HeaderFrame(
            idcode=configuration.idcode,
            stamp=configuration.stamp,
            text=header,
            version=configuration.version,
        ).encode()
    return None


def answer_frames(answer: Answer, command: int) -> tuple[bytes, ...] | None:
    """Return the frames that answer a command; None where there is no answer.

    A sender without a CFG-3 of its own sends what its CFG-2 says in that form.
    """
    found = answer(command)
    if found is None and command == Command.SEND_CFG3:
        basis = answer(Command.SEND_CFG2)
        if isinstance(basis, bytes):
            details = Configuration3.of(Configuration.decode(basis))
            found = details.encode(limit=_LONGEST_DATAGRAM)
    return (found,) if isinstance(found, bytes) else found
