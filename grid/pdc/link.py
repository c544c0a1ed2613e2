"""The way of one input's PMUs into the output."""

import logging
from collections.abc import Sequence
from typing import Protocol

from grid.c37118 import Configuration, DataCodec, FrameError, Stamp, Station
from grid.pdc import mapping
from grid.pdc.input import Receiver
from grid.pdc.topology import Input

_LOG = logging.getLogger(__name__)


class Taker(Protocol):
    """What a Link hands its frames to; inputs are known by their index."""

    def configured(self, index: int) -> None:
        """Take note that an input told its configuration."""

    def take(self, index: int, stamp: Stamp, time_base: int, blocks: dict[int, bytes]) -> None:
        """Take one frame's blocks, by PMU id and in the output's format."""

    def lost(self, index: int) -> None:
        """Take note that an input lost its connection."""


class Link:
    """One input's receiver, and how its PMUs' blocks become the output's."""

    def __init__(
        self, taker: Taker, index: int, source: Input, stations: Sequence[Station]
    ) -> None:
        self.index = index
        """The input's number."""
        self.source = source
        """The input."""
        self.receiver = Receiver(
            source,
            on_configuration=self._configuration,
            on_frame=self._frame,
            on_lost=lambda: taker.lost(index),
        )
        """Its connection."""
        self._taker = taker
        self._outputs = {station.idcode: station for station in stations}
        self._places: dict[int, tuple[int, mapping.Convert]] = {}

    def _configuration(self, configuration: Configuration) -> None:
        self._places, problems = mapping.match(self.source, configuration, self._outputs)
        for problem in problems:
            _LOG.warning("input %s: %s", self.source.name, problem)
        _LOG.info(
            "input %s: CFG-2 with %d PMUs at %g frames/s",
            self.source.name,
            len(configuration.stations),
            configuration.frames_per_second,
        )
        self._taker.configured(self.index)

    def _frame(self, codec: DataCodec, frame: bytes) -> None:
        try:
            stamp, blocks = codec.split(frame)
            converted = {
                pmu: convert(blocks[place]) for pmu, (place, convert) in self._places.items()
            }
        except FrameError as error:
            _LOG.debug("input %s: dropped a frame: %s", self.source.name, error)
            return
        self._taker.take(self.index, stamp, codec.configuration.time_base, converted)
