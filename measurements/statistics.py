"""Describing numbers: the five that a box plot draws, and rates over time."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A sample in Tukey's terms; the unit is that of the values."""

    n: int
    """Number of values."""
    minimum: float
    """The smallest."""
    q1: float
    """First quartile (linear interpolation, inclusive)."""
    median: float
    """Second quartile."""
    q3: float
    """Third quartile."""
    maximum: float
    """The largest."""
    outliers: tuple[float, ...]
    """Values more than 1.5 times the interquartile range outside the quartiles."""

    @property
    def iqr(self) -> float:
        """The interquartile range."""
        return self.q3 - self.q1


def summarise(values: Iterable[float]) -> Summary | None:
    """Return the summary of `values`; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    if len(ordered) == 1:
        q1 = median = q3 = ordered[0]
    else:
        q1, median, q3 = statistics.quantiles(ordered, n=4, method="inclusive")
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    return Summary(
        n=len(ordered),
        minimum=ordered[0],
        q1=q1,
        median=median,
        q3=q3,
        maximum=ordered[-1],
        outliers=tuple(value for value in ordered if not low <= value <= high),
    )


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


def silences(times: Sequence[float], *, longer_than: float) -> list[tuple[int, int]]:
    """Return the pairs of neighbours (indices) in sorted `times` that lie further apart."""
    return [
        (index, index + 1)
        for index in range(len(times) - 1)
        if times[index + 1] - times[index] > longer_than
    ]
