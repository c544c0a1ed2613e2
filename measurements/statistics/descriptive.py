"""Describing numbers: quantiles, and rates over time."""

import math
from collections.abc import Iterable


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that at least `share` (0 to 1) of the values don't exceed."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def rates(times: Iterable[float], *, start: float, bin_s: float, bins: int) -> list[float]:
    """Return how many of `times` per second fall into each of `bins` bins from `start` on."""
    counts = [0] * bins
    for time in times:
        index = math.floor((time - start) / bin_s)
        if 0 <= index < bins:
            counts[index] += 1
    return [count / bin_s for count in counts]
