import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements.statistics import descriptive

finite = st.floats(-1e6, 1e6)


def test_nothing_has_no_quantile() -> None:
    assert descriptive.quantile([], 0.5) is None


@given(st.lists(finite, min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    found = descriptive.quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= math.floor(share * len(values))


@given(
    st.lists(st.floats(-5, 20)),
    st.floats(-5, 5),
    st.sampled_from([0.1, 0.2, 0.5, 3.0]),
    st.integers(0, 100),
)
def test_rates_count_every_time_within_the_bins_once(
    times: list[float], start: float, bin_s: float, bins: int
) -> None:
    found = descriptive.rates(times, start=start, bin_s=bin_s, bins=bins)
    assert len(found) == bins
    within = sum(0 <= math.floor((time - start) / bin_s) < bins for time in times)
    assert sum(found) * bin_s == pytest.approx(within)


def test_a_rate_is_per_second() -> None:
    assert descriptive.rates([1.0, 1.05, 1.3], start=1, bin_s=0.2, bins=3) == [10, 5, 0]
