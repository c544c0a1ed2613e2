"""Quantiles of durations, cheap enough to measure every frame."""

import bisect
import itertools
import math
from collections.abc import Sequence

_STEP = 1.15
"""Each bound is 15 % above the last, so that a quantile is at most that much too high."""
_BOUNDS_S = tuple(10e-6 * _STEP**step for step in range(100))
"""From 10 us to 10 s."""


class Latencies:
    """A histogram of durations with a hundred classes of growing width.

    Adding one costs well below a microsecond and no memory. Quantiles are upper bounds
    of the class that they fall into, and never above the largest duration seen.
    """

    __slots__ = ("_classes", "count", "maximum_s", "minimum_s", "sum_s")

    def __init__(self) -> None:
        self._classes = [0] * (len(_BOUNDS_S) + 1)
        self.count = 0
        """Durations added since the start or clear()."""
        self.sum_s = 0.0
        """Their sum."""
        self.minimum_s = math.inf
        """The shortest, infinite where there is none."""
        self.maximum_s = -math.inf
        """The longest, minus infinity where there is none."""

    def add(self, seconds: float) -> None:
        """Count one duration in seconds; clocks that differ may make it negative."""
        self.count += 1
        self.sum_s += seconds
        # Comparing is cheaper than calling min() and max().
        if seconds < self.minimum_s:  # noqa: PLR1730
            self.minimum_s = seconds
        if seconds > self.maximum_s:  # noqa: PLR1730
            self.maximum_s = seconds
        self._classes[bisect.bisect_left(_BOUNDS_S, seconds)] += 1

    def quantile(self, share: float) -> float:
        """Return a bound that `share` (0..1) of the durations don't exceed; NaN for none."""
        if not self.count:
            return math.nan
        wanted = max(1, math.ceil(share * self.count))
        index = bisect.bisect_left(list(itertools.accumulate(self._classes)), wanted)
        bound = _BOUNDS_S[index] if index < len(_BOUNDS_S) else math.inf
        return min(bound, self.maximum_s)

    def quantiles(self, shares: Sequence[float] = (0.5, 0.99, 1.0)) -> dict[str, float]:
        """Return the quantiles by the text that a Prometheus label wants."""
        return {f"{share:g}": self.quantile(share) for share in shares}

    def clear(self) -> None:
        """Forget all durations."""
        self.__init__()  # type: ignore[misc] # the attributes are the ones of a new object
