"""Frame rates of inputs and output, and the report of each minute in the log."""

import asyncio
import logging
import time
from collections.abc import Callable

from grid.pdc.concentrator import Concentrator
from grid.pdc.input_mapper import InputMapper

_LOG = logging.getLogger(__name__)

_SAMPLE_S = 5.0
_SAMPLES_A_REPORT = 12
_STEP_S = 0.5
"""The local clock was set if it moved by more than this against the monotonic one."""


class FrameRates:
    """Counts frames in windows of five seconds, and notices when the local clock is set."""

    def __init__(self, running: Callable[[], Concentrator]) -> None:
        self._running = running
        self._rates: dict[InputMapper | Concentrator, float] = {}
        self._before: dict[InputMapper | Concentrator, int] = {}
        self.clock_steps = 0
        """How often the local clock was set."""

    def of(self, counted: InputMapper | Concentrator) -> float:
        """Return frames a second of an input or of the output, over the last window."""
        return self._rates.get(counted, 0.0)

    async def run(self) -> None:
        """Sample every five seconds, and report each minute; ends only when cancelled."""
        offset_s = time.time() - time.monotonic()
        sampled_s = time.monotonic()
        published = 0
        while True:
            for _ in range(_SAMPLES_A_REPORT):
                await asyncio.sleep(_SAMPLE_S)
                now_s = time.monotonic()
                self._sample(now_s - sampled_s)
                sampled_s = now_s
                step_s = time.time() - now_s - offset_s
                offset_s += step_s
                if abs(step_s) > _STEP_S:
                    self.clock_steps += 1
                    _LOG.warning("this computer's clock was set by %+.3f s", step_s)
            published = self._report(published)

    def _sample(self, seconds: float) -> None:
        concentrator = self._running()
        counts: dict[InputMapper | Concentrator, int] = {
            mapper: mapper.aligned.counts.received for mapper in concentrator.mappers
        }
        counts[concentrator] = concentrator.aligner.counts.published
        self._rates = {
            counted: (count - self._before.get(counted, 0)) / seconds
            for counted, count in counts.items()
        }
        self._before = counts

    def _report(self, before: int) -> int:
        """Say what went through since the last time; return the frames published so far."""
        concentrator = self._running()
        counts = concentrator.aligner.counts
        inputs = [mapper.aligned.counts for mapper in concentrator.mappers]
        names = {pmu.output_id: pmu.name for pmu in concentrator.topology.pmus}
        gone = {names.get(pmu, pmu): count for pmu, count in sorted(counts.absent.items())}
        _LOG.info(
            "%s: %d frames in the last %g s; since the start %d, incomplete %d, late %d, "
            "duplicate %d, early %d, off time %d, absent %s; %d clients",
            concentrator.topology.stream.name,
            max(0, counts.published - before),
            _SAMPLE_S * _SAMPLES_A_REPORT,
            counts.published,
            counts.incomplete,
            sum(count.late for count in inputs),
            sum(count.duplicate for count in inputs),
            sum(count.ahead for count in inputs),
            sum(count.between for count in inputs),
            gone or "none",
            len(concentrator.output.server.clients),
        )
        return counts.published
