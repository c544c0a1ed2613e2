"""Data frames (6.5), which only the stream's configuration makes readable."""

import binascii
import itertools
import struct
from typing import Any, NamedTuple

from grid.c37118.errors import FrameError
from grid.c37118.frames import envelope
from grid.c37118.frames.clocks import Stamp
from grid.c37118.frames.configuration import Configuration
from grid.c37118.frames.configuration3 import Configuration3
from grid.c37118.frames.envelope import FrameType
from grid.c37118.frames.station import Station
from grid.c37118.frames.station3 import Station3
from grid.c37118.frames.status import Stat

_HEAD_LAYOUT = ">BBHHLL"
_HEAD_FIELDS = 6
_STAMP = struct.Struct(">LL")
_DATA_VERSIONS = (envelope.VERSION_2005, envelope.VERSION_2011)
"""The second SYNC byte of a data frame is its version."""


# Named tuples, because a frozen dataclass takes four times as long to make, and these are
# made for every frame of every PMU.
class PmuData(NamedTuple):
    """One PMU's block, with the numbers as transmitted.

    read() turns them into volts, amperes and hertz. (A signalling NaN is the
    one bit pattern that does not survive: reading it makes it a quiet NaN.)
    """

    stat: Stat
    """How good the data are."""
    phasors: tuple[tuple[float, float], ...]
    """Real and imaginary part, or magnitude and angle."""
    frequency: float
    """FREQ: mHz off nominal as integer, Hz as float."""
    rocof: float
    """DFREQ: 0.01 Hz/s as integer, Hz/s as float."""
    analogs: tuple[float, ...] = ()
    """Analog values."""
    digitals: tuple[int, ...] = ()
    """Digital words of 16 bits."""


class DataFrame(NamedTuple):
    """The measurements of all PMUs of a stream at one time."""

    idcode: int
    """The stream's id."""
    stamp: Stamp
    """The time of the measurement."""
    pmus: tuple[PmuData, ...]
    """One a PMU, in the configuration's order."""
    version: int = envelope.VERSION_2011
    """1 for 2005, 2 for 2011."""


def layout(station: Station | Station3) -> str:
    """Return the struct characters of one PMU's block, big-endian order left out."""
    form = station.format
    integers = "Hh" if form.polar else "hh"
    phasor = "ff" if form.float_phasors else integers
    return (
        "H"
        + phasor * len(station.phasors)
        + ("ff" if form.float_frequency else "hh")
        + ("f" if form.float_analogs else "h") * len(station.analogs)
        + "H" * len(station.digital_units)
    )


class BlockCodec:
    """Reads and writes the block of one PMU in a data frame."""

    def __init__(self, station: Station | Station3) -> None:
        self._struct = struct.Struct(">" + layout(station))
        self.size = self._struct.size
        """Bytes of the block."""
        self._shape = _Shape(station, 0)

    def decode(self, block: bytes, offset: int = 0) -> PmuData:
        """Read the block at `offset`."""
        try:
            values = self._struct.unpack_from(block, offset)
        except struct.error as error:
            raise FrameError(f"the block of a PMU is cut off: {error}") from error
        return self._shape.gather(values)

    def encode(self, data: PmuData) -> bytes:
        """Return the block; FrameError if a number does not fit its format."""
        try:
            return self._struct.pack(*self._shape.spread(data))
        except (struct.error, OverflowError) as error:
            raise FrameError(f"a value does not fit the configured format: {error}") from error


class DataCodec:
    """Reads and writes the data frames of one configuration.

    A whole frame is one precompiled struct, so that hardly more time is spent than making
    the Python objects takes.
    """

    def __init__(self, configuration: Configuration | Configuration3) -> None:
        self.configuration = configuration
        """The configuration of the frames."""
        stations: tuple[Station | Station3, ...] = configuration.stations
        layouts = [layout(station) for station in stations]
        self._struct = struct.Struct(_HEAD_LAYOUT + "".join(layouts))
        self.size = self._struct.size + 2
        """Bytes of every data frame."""
        if self.size > envelope.MAX_SIZE:
            raise FrameError(f"this configuration needs data frames of {self.size} bytes")
        sizes = [struct.calcsize(">" + text) for text in layouts]
        ends = list(itertools.accumulate(sizes, initial=envelope.HEAD))
        self._blocks = [slice(start, end) for start, end in itertools.pairwise(ends)]
        fields = [len(text) for text in layouts]
        starts = itertools.accumulate(fields, initial=_HEAD_FIELDS)
        self._shapes = [
            _Shape(station, start) for station, start in zip(stations, starts, strict=False)
        ]

    def decode(self, frame: bytes) -> DataFrame:
        """Read a whole frame; FrameError if it is not a data frame of this configuration."""
        stamp = self._check(frame)
        values = self._struct.unpack_from(frame)
        return DataFrame(
            values[3], stamp, tuple([shape.gather(values) for shape in self._shapes]), values[1]
        )

    def split(self, frame: bytes) -> tuple[Stamp, list[bytes]]:
        """Return the time stamp and the undecoded block of each PMU, as a PDC passes them on."""
        return self._check(frame), [frame[block] for block in self._blocks]

    def stat_words(self, frame: bytes) -> tuple[int, ...]:
        """Return each PMU's STAT of a frame of the right size, without reading the rest."""
        return tuple([frame[block.start] << 8 | frame[block.start + 1] for block in self._blocks])

    def join(self, stamp: Stamp, blocks: list[bytes]) -> bytes:
        """Return the frame of undecoded blocks; the counterpart of split()."""
        configuration = self.configuration
        head = envelope.Envelope(
            type=FrameType.DATA,
            version=configuration.version,
            idcode=configuration.idcode,
            stamp=stamp,
        )
        frame = envelope.pack(head, b"".join(blocks))
        if len(frame) != self.size:
            raise FrameError(f"the blocks make {len(frame)} bytes, the frame needs {self.size}")
        return frame

    def encode(self, data: DataFrame) -> bytes:
        """Return the frame's bytes; FrameError if they contradict the configuration."""
        if len(data.pmus) != len(self._shapes):
            raise FrameError(
                f"data of {len(data.pmus)} PMUs, the configuration has {len(self._shapes)}"
            )
        if data.version not in _DATA_VERSIONS:
            raise FrameError(f"version {data.version} is neither 1 (2005) nor 2 (2011)")
        soc, fracsec = data.stamp.words()
        values = [envelope.SYNC_BYTE, data.version, self.size, data.idcode, soc, fracsec]
        for shape, pmu in zip(self._shapes, data.pmus, strict=True):
            values += shape.spread(pmu)
        try:
            frame = self._struct.pack(*values)
        except (struct.error, OverflowError) as error:
            raise FrameError(f"a value does not fit the configured format: {error}") from error
        return frame + binascii.crc_hqx(frame, 0xFFFF).to_bytes(2, "big")

    def _check(self, frame: bytes) -> Stamp:
        """Return the stamp of a data frame of this configuration; FrameError otherwise."""
        if (
            len(frame) == self.size == frame[2] << 8 | frame[3]
            and frame[0] == envelope.SYNC_BYTE
            and frame[1] in _DATA_VERSIONS
            # Over a frame with its own CRC behind it, the CRC is 0.
            and not binascii.crc_hqx(frame, 0xFFFF)
        ):
            soc, fracsec = _STAMP.unpack_from(frame, envelope.STAMP)
            return Stamp.from_words(soc, fracsec)
        head = envelope.read(frame)
        if head.type is not FrameType.DATA:
            raise FrameError(f"a {head.type.name} frame is no data frame")
        raise FrameError(
            f"a data frame of {len(frame)} bytes contradicts the configuration "
            f"({self.size} bytes): the sender changed its configuration"
        )


class _Shape:
    """Where the numbers of one PMU stand among those of a struct."""

    def __init__(self, station: Station | Station3, start: int) -> None:
        self._counts = (len(station.phasors), len(station.analogs), len(station.digital_units))
        phasors, analogs, digitals = self._counts
        self._start = start
        self._frequency = start + 1 + 2 * phasors
        self._rocof = self._frequency + 1
        self._first = slice(start + 1, self._frequency, 2)
        self._second = slice(start + 2, self._frequency, 2)
        self._analogs = slice(self._rocof + 1, self._rocof + 1 + analogs)
        self._digitals = slice(self._analogs.stop, self._analogs.stop + digitals)

    def gather(self, values: tuple[Any, ...]) -> PmuData:
        """Return the PMU's data."""
        return PmuData(
            Stat.from_word(values[self._start]),
            tuple(zip(values[self._first], values[self._second], strict=True)),
            values[self._frequency],
            values[self._rocof],
            values[self._analogs],
            values[self._digitals],
        )

    def spread(self, data: PmuData) -> list[Any]:
        """Return the PMU's numbers in their order; FrameError if there are more or fewer."""
        stat, phasors, frequency, rocof, analogs, digitals = data
        counts = (len(phasors), len(analogs), len(digitals))
        if counts != self._counts:
            raise FrameError(
                f"the data have {counts} phasors, analogs and digital words, "
                f"the configuration {self._counts}"
            )
        return [
            stat.to_word(),
            *itertools.chain.from_iterable(phasors),
            frequency,
            rocof,
            *analogs,
            *digitals,
        ]
