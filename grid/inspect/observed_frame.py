"""Frames of a capture or a live stream, each with the configuration that reads it."""

from dataclasses import dataclass

from grid.c37118 import (
    CommandFrame,
    Configuration,
    Configuration3,
    DataCodec,
    DataFrame,
    Fragments,
    FrameError,
    FrameType,
    HeaderFrame,
    frame_type,
)

AnyFrame = DataFrame | Configuration | Configuration3 | CommandFrame | HeaderFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedFrame:
    """One frame of a recording or of a live stream."""

    t_ns: int | None
    """When it arrived, nanoseconds since 1970-01-01 UTC by the clock there; None: unknown."""
    source: str
    """HOST:PORT of its sender."""
    destination: str = ""
    """HOST:PORT of its receiver; empty for a live stream, whose receiver this program is."""
    type: FrameType
    """What it is."""
    idcode: int
    """The stream's id."""
    frame: AnyFrame | None = None
    """The frame; None where it cannot be read."""
    codec: DataCodec | None = None
    """With data what it was read with."""
    problem: str = ""
    """Why it cannot be read."""
    contradicts: bool = False
    """Whether it is a data frame that its configuration doesn't fit."""


class FrameInterpreter:
    """Reads frames of many streams, and remembers their configurations.

    Data are read with the configuration that came from the same address and port; failing
    that from the same address (data by UDP, commands by TCP); failing that from anywhere.
    """

    def __init__(self) -> None:
        self._codecs: dict[tuple[str, int], DataCodec] = {}
        self._fragments: dict[tuple[str, int], Fragments] = {}

    def interpret(
        self, t_ns: int | None, source: str, raw: bytes, destination: str = ""
    ) -> ObservedFrame | None:
        """Return a frame with a valid CRC as it is to be read; None inside a CFG-3's series."""
        kind, idcode = frame_type(raw), raw[4] << 8 | raw[5]
        codec: DataCodec | None = None
        frame: AnyFrame | None
        try:
            if kind is FrameType.DATA:
                codec = self._codec(source, idcode)
                if codec is None:
                    raise FrameError("its configuration is not known")
                frame = codec.decode(raw)
            elif kind is FrameType.COMMAND:
                frame = CommandFrame.decode(raw)
            elif kind is FrameType.HEADER:
                frame = HeaderFrame.decode(raw)
            elif kind is FrameType.CFG3:
                frame = self._fragments.setdefault((source, idcode), Fragments()).add(raw)
                if frame is None:
                    return None
            else:
                frame = Configuration.decode(raw)
                if kind is FrameType.CFG2:
                    self._learn(source, frame)
        except FrameError as error:
            return ObservedFrame(
                t_ns=t_ns,
                source=source,
                destination=destination,
                type=kind,
                idcode=idcode,
                problem=str(error),
                contradicts=codec is not None,
            )
        return ObservedFrame(
            t_ns=t_ns,
            source=source,
            destination=destination,
            type=kind,
            idcode=idcode,
            frame=frame,
            codec=codec,
        )

    def _learn(self, source: str, configuration: Configuration) -> None:
        codec = DataCodec(configuration)
        for where in (source, source.rpartition(":")[0], ""):
            self._codecs[where, configuration.idcode] = codec

    def _codec(self, source: str, idcode: int) -> DataCodec | None:
        for where in (source, source.rpartition(":")[0], ""):
            if (where, idcode) in self._codecs:
                return self._codecs[where, idcode]
        return None
