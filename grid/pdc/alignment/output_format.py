"""The format of output frames: the CFG-2, and the position of each PMU's block in a frame."""

import struct
from collections.abc import Sequence

from grid.c37118 import BlockCodec, Configuration, FrameError, Stamp, Station, absent
from grid.c37118.frames import envelope as wire

_HEAD = struct.Struct(">BBHHLL")
_CHANGE = 0x04
"""STAT bit 10, in the first byte of STAT."""
TIME_BASE = 1_000_000
"""Of the output: fractions of a second are counted in microseconds."""
_NS = 1_000_000_000


class OutputFormat:
    """Makes blank frames and finishes filled ones; between the two, inputs copy blocks in."""

    def __init__(self, *, idcode: int, stations: Sequence[Station], rate: int, stamp: Stamp):
        self.configuration = Configuration(
            idcode=idcode,
            stamp=stamp,
            time_base=TIME_BASE,
            stations=tuple(stations),
            data_rate=rate,
        )
        """The output's CFG-2. It comes from the topology alone, so no input can change it."""
        self.pmus = frozenset(station.idcode for station in stations)
        """The ids of its PMUs."""
        self.places: dict[int, tuple[int, int]] = {}
        """Start and end of each PMU's block in a data frame, by its id."""
        blank = bytearray(wire.HEAD)
        for station in stations:
            start = len(blank)
            blank += BlockCodec(station).encode(absent(station))
            self.places[station.idcode] = (start, len(blank))
        self._stats = tuple(start for start, _ in self.places.values())
        self._blank = bytes(blank) + bytes(2)
        self.size = len(self._blank)
        """Bytes of a data frame."""
        if self.size > wire.MAX_SIZE:
            raise FrameError(f"this output needs data frames of {self.size} bytes")
        # A configuration that cannot be written should stop the start, not a client.
        self.configuration.encode()

    @property
    def stations(self) -> dict[int, Station]:
        """The output's PMUs by their ids."""
        return {station.idcode: station for station in self.configuration.stations}

    def blank(self) -> bytearray:
        """Return a frame in which all PMUs are absent, without head and CRC."""
        return bytearray(self._blank)

    def finish(self, frame: bytearray, ns: int, quality: int, *, changed: bool) -> bytes:
        """Return the frame with head and CRC.

        `ns` are nanoseconds since 1970-01-01 UTC, `quality` the high byte of FRACSEC.
        `changed` sets STAT bit 10 of all PMUs: the configuration changed within a minute.
        """
        soc, rest = divmod(ns, _NS)
        count = (rest * TIME_BASE + _NS // 2) // _NS
        configuration = self.configuration
        _HEAD.pack_into(
            frame,
            0,
            wire.SYNC_BYTE,
            wire.FrameType.DATA << 4 | configuration.version,
            self.size,
            configuration.idcode,
            soc,
            quality << 24 | count,
        )
        if changed:
            for at in self._stats:
                frame[at] |= _CHANGE
        frame[-2:] = wire.crc(memoryview(frame)[:-2]).to_bytes(2, "big")
        return bytes(frame)
