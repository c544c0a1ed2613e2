"""Copies one input stream's PMU blocks into output frames."""

import logging
import time
from typing import Protocol

from grid.c37118 import Configuration, DataCodec, FrameError
from grid.pdc import block_mapping
from grid.pdc.alignment.aligner import AlignedInput, Aligner, Row
from grid.pdc.alignment.output_format import OutputFormat
from grid.pdc.alignment.slot_finder import SlotFinder
from grid.pdc.topology.model import BadTime, InputStream
from grid.transport.address import Transport
from grid.transport.receiver import Receiver
from service.once import Once

_LOG = logging.getLogger(__name__)

_UNSYNCHRONIZED = 0x20
_BY_ARRIVAL = 0x10
"""STAT bits 13 and 12, in the first byte of STAT."""
_PERIOD_TOLERANCE_NS = 2_000
"""Time stamps are rounded to microseconds, or to coarser fractions where they are irregular."""
_BACK_NS, _FORWARD_NS = -900_000_000, 5_000_000_000
"""Time stamps that move by more than this against the local clock are a step of a clock (or
a leap second), and not frames out of order or missing."""
_MANY = 50
"""Single late frames are no news: an input's first ones often are."""
_MOST_SAID = 100
"""A sender of ever new configurations is no reason to fill a disk."""


class InputConsumer(Protocol):
    """Takes the frames of an InputMapper: the concentrator."""

    aligner: Aligner

    def slot_finder(self, configuration: Configuration) -> SlotFinder:
        """Return the slot finder for an input of this configuration."""

    def configured(self) -> None:
        """Take note that an input told its configuration."""

    def arrived(self, now_s: float) -> None:
        """Send what is complete after a frame came, at this monotonic time."""

    def lost(self, mapper: "InputMapper") -> None:
        """Take note that an input lost its connection."""


class InputMapper:
    """Receives one input stream, and copies its PMU blocks into the rows of the output."""

    def __init__(
        self,
        consumer: InputConsumer,
        input_stream: InputStream,
        output_format: OutputFormat,
        bad_time: BadTime,
    ) -> None:
        self.input_stream = input_stream
        """The input stream in the topology."""
        self.aligned = AlignedInput(ordered=input_stream.address.transport is Transport.TCP)
        """Its part in the alignment, and its counts."""
        self.configuration: Configuration | None = None
        """What it told last."""
        self.receiver = Receiver(
            input_stream.address,
            input_stream.idcode,
            name=f"input {input_stream.name}",
            silence_s=input_stream.silence_s,
            retry_s=input_stream.retry_s,
            on_configuration=self._configured,
            on_frame=self._frame,
            on_lost=lambda: consumer.lost(self),
        )
        """Its connection."""
        self._consumer = consumer
        self._bad_time = bad_time
        self._formats = [output_format]
        self._mappings: dict[OutputFormat, block_mapping.BlockMapping] = {}
        self._slot_finder: SlotFinder | None = None
        self._said = Once(_MOST_SAID)
        self._newest_ns = 0
        self._heard_s = 0.0

    def use_format(
        self, input_stream: InputStream, output_format: OutputFormat, bad_time: BadTime
    ) -> None:
        """Fill frames of another format too; only this and the one before are in use."""
        self.input_stream, self._bad_time = input_stream, bad_time
        self.receiver.name = f"input {input_stream.name}"
        if output_format is not self._formats[-1]:
            self._formats = [self._formats[-1], output_format]
            self._match()

    def _configured(self, configuration: Configuration) -> None:
        before, self.configuration = self.configuration, configuration
        if before is not None:
            if before.same(configuration):
                self._consumer.configured()
                return
            self.aligned.counts.configuration_changes += 1
            changes = self.aligned.counts.configuration_changes
            if changes & (changes - 1) == 0:  # The first, and then ever fewer.
                _LOG.info(
                    "%s: its configuration changed (%d so far), following it",
                    self.receiver.where,
                    changes,
                )
        self._slot_finder = self._consumer.slot_finder(configuration)
        self._match()
        if before is None:
            _LOG.info(
                "%s: CFG-2 with %d PMUs at %g frames/s",
                self.receiver.where,
                len(configuration.stations),
                configuration.frames_per_second,
            )
        self._consumer.configured()

    def _match(self) -> None:
        if self.configuration is None:
            return
        self._mappings = {}
        for output_format in self._formats:
            wanted = [pmu for pmu in self.input_stream.pmus if pmu.output_id in output_format.pmus]
            mapping, problems = block_mapping.match(wanted, self.configuration, output_format)
            self._mappings[output_format] = mapping
        self.aligned.pmus = frozenset().union(
            *(mapping.pmus for mapping in self._mappings.values())
        )
        for problem in problems:
            self._say(problem)

    def _frame(self, _codec: DataCodec, frame: bytes) -> None:
        """Put a whole frame of the right size, IDCODE and CRC into its row."""
        slot_finder = self._slot_finder
        if slot_finder is None:
            return
        counts = self.aligned.counts
        counts.received += 1
        now_s, wall_ns = time.monotonic(), time.time_ns()
        slot_match = slot_finder.find(frame[6:14])
        ns = slot_match.ns
        counts.latency.add((wall_ns - ns) * 1e-9)
        off = ns - self._newest_ns - slot_finder.period_ns
        if -_PERIOD_TOLERANCE_NS <= off <= _PERIOD_TOLERANCE_NS:
            self._newest_ns = ns
        elif not self._irregular(ns, slot_finder.period_ns, now_s):
            return
        self._heard_s = now_s
        arrival = False
        if self._bad_time is not BadTime.USE and self._unsynchronized(frame):
            if self._bad_time is BadTime.DROP:
                counts.bad_time += 1
                return
            counts.by_arrival += 1
            arrival = True
            slot_match = slot_finder.at(wall_ns, slot_match.quality)
        if slot_match.slot < 0:
            counts.between += 1
            return
        consumer = self._consumer
        row = consumer.aligner.put(self.aligned, slot_match, now_s=now_s, wall_ns=wall_ns)
        if row is not None:
            self._fill(row, frame, arrival)
        else:
            self._refused((wall_ns - ns) * 1e-9)
        consumer.arrived(now_s)

    def _fill(self, row: Row, frame: bytes, arrival: bool) -> None:
        mapping = self._mappings.get(row.format)
        if mapping is None:
            return
        into = row.frame
        for begin, end, at, until in mapping.copies:
            into[at:until] = frame[begin:end]
        for begin, end, at, until, convert in mapping.conversions:
            try:
                into[at:until] = convert(frame[begin:end])
            except FrameError as error:
                self.aligned.counts.bad_values += 1
                self._say(f"a block cannot be written in the output's format: {error}")
        if arrival:
            for _, at in mapping.stats:
                into[at] |= _BY_ARRIVAL

    def _refused(self, delay_s: float) -> None:
        """Say once that frames come too early, or too late more than now and then."""
        counts = self.aligned.counts
        if counts.ahead:
            self._say(
                f"a frame came {-delay_s:.3f} s before its time stamp by this computer's clock, "
                "beyond the lead time, and was left out: check its clock and this one's",
                kind="ahead",
            )
        if counts.late >= _MANY:
            self._say(
                f"frames come after theirs were published, the last {delay_s:.3f} s after its "
                "time stamp, and are left out: check the clocks, or raise the lag time",
                kind="late",
            )

    def _irregular(self, ns: int, period_ns: int, now_s: float) -> bool:
        """Count what a time stamp other than the expected one means; return whether to use it."""
        counts = self.aligned.counts
        if not self._newest_ns:
            self._newest_ns = ns
            return True
        step = ns - self._newest_ns
        against_clock = step - (now_s - self._heard_s) * 1e9
        if against_clock < _BACK_NS or against_clock > _FORWARD_NS:
            counts.clock_jumps += 1
            self._newest_ns = ns
            self._say(
                f"its time stamps moved by {against_clock / 1e9:+.1f} s against this computer's "
                "clock: its clock was set, or a leap second came; check its time source",
                kind="clock",
            )
        elif step == 0:
            counts.duplicate += 1
            return False
        elif step < 0:
            counts.out_of_order += 1
        else:
            counts.missing += max(0, round(step / period_ns) - 1)
            self._newest_ns = ns
        return True

    def _unsynchronized(self, frame: bytes) -> bool:
        """Tell whether no PMU of the frame that is sent on is in sync."""
        stats = self._mappings[self._formats[-1]].stats
        return all(frame[begin] & _UNSYNCHRONIZED for begin, _ in stats)

    def _say(self, what: str, kind: str | None = None) -> None:
        """Say something about this input once."""
        if self._said.first(kind or what):
            _LOG.warning("%s: %s", self.receiver.where, what)
