"""The sources of frames to inspect: a capture file, or the address of a stream."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from grid.c37118 import (
    Configuration,
    Configuration3,
    DataCodec,
    FrameError,
    FrameType,
    ReceiverCounts,
    Violation,
)
from grid.capture import pcap as capture
from grid.capture.conversations import Conversations, Damage, Flow
from grid.capture.packets import Dissector
from grid.inspect.observed_frame import FrameInterpreter, ObservedFrame
from grid.transport.address import Address
from grid.transport.receiver import Receiver

OnFrame = Callable[[ObservedFrame], bool]
"""Takes a frame; True ends the reading."""


class NoStreamError(Exception):
    """There is no stream to inspect; the message says why, in one sentence."""


def recorded(path: Path, on_frame: OnFrame) -> dict[Flow, Damage]:
    """Give a capture's frames to `on_frame`; return what was between the frames of each flow.

    NoStreamError where it cannot be read or has no frame of C37.118.
    """
    dissector, conversations, interpreter = Dissector(), Conversations(), FrameInterpreter()
    frames = packets = 0
    try:
        for packet in capture.read(path):
            packets += 1
            segment = dissector.segment(packet)
            if segment is None:
                continue
            for flow, raw in conversations.frames(segment):
                frames += 1
                ends = str(flow.source), str(flow.destination)
                observed = interpreter.interpret(segment.t_ns, ends[0], raw, ends[1])
                if observed is not None and on_frame(observed):
                    return conversations.end()
    except capture.CaptureError as error:
        raise NoStreamError(f"cannot read {path}: {error}") from error
    if not frames:
        raise NoStreamError(f"there is no C37.118 frame in the {packets} packets of {path}")
    return conversations.end()


async def live(
    address: Address,
    idcode: int | None,
    on_frame: OnFrame,
    *,
    seconds: float | None,
    wait_s: float,
    details: bool,
    on_problem: Callable[[Violation, str], None],
) -> ReceiverCounts:
    """Give a live stream's frames to `on_frame` for `seconds` at most (None: no end).

    NoStreamError where nothing comes for `wait_s`.
    """
    ended = asyncio.Event()
    started = asyncio.Event()
    source = str(address)

    def saw(
        kind: FrameType, frame: Configuration | Configuration3 | bytes, codec: DataCodec | None
    ) -> None:
        t_ns = time.time_ns()
        started.set()
        if isinstance(frame, bytes):
            assert codec is not None  # noqa: S101 - the receiver gives it with each data frame
            try:
                read = codec.decode(frame)
            except FrameError:
                return
            one = ObservedFrame(
                t_ns=t_ns, source=source, type=kind, idcode=read.idcode, frame=read, codec=codec
            )
        else:
            one = ObservedFrame(
                t_ns=t_ns, source=source, type=kind, idcode=frame.idcode, frame=frame
            )
        if not ended.is_set() and on_frame(one):
            ended.set()

    receiver = Receiver(
        address,
        idcode,
        name="stream",
        on_configuration=lambda one: saw(FrameType.CFG2, one, None),
        on_frame=lambda codec, frame: saw(FrameType.DATA, frame, codec),
        on_lost=lambda: None,
        on_problem=on_problem,
        on_details=(lambda one: saw(FrameType.CFG3, one, None)) if details else None,
    )
    task = asyncio.ensure_future(receiver.run())
    try:
        try:
            await asyncio.wait_for(started.wait(), wait_s)
        except TimeoutError:
            why = receiver.last_failure or "nothing came"
            raise NoStreamError(f"no stream from {address} within {wait_s:g} s: {why}") from None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), seconds)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return receiver.counts
