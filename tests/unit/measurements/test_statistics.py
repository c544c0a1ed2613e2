import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements import statistics

finite = st.floats(-1e6, 1e6)


def test_nothing_has_no_quantile() -> None:
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
