import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements import statistics

finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1))
def test_quartiles_are_numpys(values: list[float]) -> None:
    summary = statistics.summarise(values)
    assert summary is not None
    expected = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    found = (summary.minimum, summary.q1, summary.median, summary.q3, summary.maximum)
    assert found == pytest.approx(expected, abs=1e-6)
    assert summary.n == len(values)
    assert summary.iqr >= -1e-9


def test_outliers_lie_outside_the_whiskers() -> None:
    summary = statistics.summarise([1, 2, 3, 4, 5, 100])
    assert summary is not None
    assert summary.outliers == (100,)


def test_nothing_has_no_summary() -> None:
    assert statistics.summarise([]) is None
    assert statistics.quantile([], 0.5) is None


@given(st.lists(finite, min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    found = statistics.quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= math.floor(share * len(values))


@given(st.lists(st.floats(0, 9.99)), st.sampled_from([0.1, 0.2, 0.5, 3.0]))
def test_rates_count_every_event_once(times: list[float], bin_s: float) -> None:
    found = statistics.rates(times, start=0, end=10, bin_s=bin_s)
    lengths = [bin_s] * (len(found) - 1) + [10 - bin_s * (len(found) - 1)]
    assert sum(r * w for r, w in zip(found, lengths, strict=True)) == pytest.approx(len(times))


def test_rates_of_no_time() -> None:
    assert statistics.rates([1, 2], start=3, end=3, bin_s=1) == []


def test_silences_are_pairs_of_neighbours() -> None:
    assert statistics.silences([0, 1, 5, 6, 9], longer_than=2) == [(1, 2), (3, 4)]
