"""Describing numbers: quantiles, and rates over time."""

from collections.abc import Iterable


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that at least `share` (0 to 1) of the values don't exceed."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def rates(times: Iterable[float], *, start: float, end: float, bin_s: float) -> list[float]:
    """Return how many of `times` fall into each bin of [start, end), per second.

    The last bin may be shorter than `bin_s`; its rate counts its own length.
    """
    width = end - start
    if width <= 0:
        return []
    bins = max(1, -int(-width / bin_s // 1))
    counts = [0] * bins
    for time in times:
        if start <= time < end:
            counts[min(int((time - start) / bin_s), bins - 1)] += 1
    lengths = [bin_s] * (bins - 1) + [width - bin_s * (bins - 1)]
    return [count / length for count, length in zip(counts, lengths, strict=True)]
