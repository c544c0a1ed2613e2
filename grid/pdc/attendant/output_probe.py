"""Asks a PDC's output for its configuration: a PDC that answers, or sends data, serves."""

import asyncio
import contextlib
import logging

from grid.c37118 import Command, CommandFrame, FrameType, frame_type
from grid.c37118.session.reassembler import Reassembler

_LOG = logging.getLogger(__name__)

PERIOD_S = 1.0
"""Without a data frame for so long, it is asked."""
PATIENCE_S = 3.0
"""How long an answer may take; openPDC gives it after the data that wait to be sent."""


class OutputProbe:
    """Keeps one TCP connection to an output, and asks for CFG-2 on it.

    It sends no other command: openPDC takes one of each read, and to turn the data off might
    turn them off for others. openPDC sends data to each client that connects, which shows as
    well that it serves.
    """

    def __init__(self, host: str, port: int, idcode: int) -> None:
        self.idcode = idcode
        """The stream's id."""
        self.problem: str | None = f"{host}:{port} was not asked yet"
        """Why the output doesn't serve, in one line; None where it does."""
        self.answered_s = asyncio.get_running_loop().time()
        """The loop's time when it last answered; at first that of the beginning."""
        self._host = host
        self._port = port

    def silent_s(self) -> float:
        """Return for how many seconds the output has not answered."""
        return asyncio.get_running_loop().time() - self.answered_s

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                await self._ask()
            except (OSError, TimeoutError, EOFError) as error:
                self._note(self._reason(error))
            await asyncio.sleep(PERIOD_S)

    async def _ask(self) -> None:
        """Ask on one connection; ends with an error only."""
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            frames = Reassembler()
            while True:
                writer.write(CommandFrame.now(Command.SEND_CFG2, idcode=self.idcode).encode())
                async with asyncio.timeout(PATIENCE_S):
                    await self._next(reader, frames, {FrameType.CFG2, FrameType.DATA})
                self._answered()
                # While data come, there is nothing to ask: openPDC logs each question.
                with contextlib.suppress(TimeoutError):
                    while True:
                        async with asyncio.timeout(PERIOD_S):
                            await self._next(reader, frames, {FrameType.DATA})
                        self._answered()
        finally:
            writer.transport.abort()

    async def _next(
        self, reader: asyncio.StreamReader, frames: Reassembler, kinds: set[FrameType]
    ) -> None:
        """Read until a frame of this stream, of one of these kinds, has come."""
        while True:
            received = await reader.read(65536)
            if not received:
                raise EOFError("it has closed the connection")
            # All frames of what was read, as the next call begins with what comes then.
            came = {frame_type(frame) for frame in frames.feed(received) if self._ours(frame)}
            if came & kinds:
                return

    def _ours(self, frame: bytes) -> bool:
        return frame[4] << 8 | frame[5] == self.idcode

    def _answered(self) -> None:
        self._note(None)
        self.answered_s = asyncio.get_running_loop().time()

    def _reason(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no configuration within {PATIENCE_S:g} s"
        return getattr(error, "strerror", None) or str(error)

    def _note(self, problem: str | None) -> None:
        where = f"{self._host}:{self._port}"
        text = None if problem is None else f"the output {where} doesn't serve: {problem}"
        if (text is None) != (self.problem is None):
            _LOG.info("the output %s serves", where) if text is None else _LOG.warning("%s", text)
        self.problem = text
