"""When a cluster reacts, by its timers, beside what was measured."""

import pytest

from experiment.prediction import allowed
from lab.config import profiles, reactions


# Measured on this kit's own labs, kubeadm and k3s: three times each.
@pytest.mark.parametrize(
    ("profile", "measured_s"),
    [("thesis", (36.9, 33.3)), ("floor", (3.9, 4.5, 4.2))],
)
def test_a_lost_node(profile, measured_s):
    span = allowed(reactions.not_ready(profiles.load(profile)))
    assert all(span.earliest_s <= s <= span.latest_s for s in measured_s)


@pytest.mark.parametrize(
    ("profile", "measured_s"),
    [("thesis", (57.1,)), ("floor", (12.4, 14.9, 12.2, 13.1))],
)
def test_a_lost_holder_of_the_lease(profile, measured_s):
    span = allowed(reactions.not_ready_after_take_over(profiles.load(profile)))
    assert all(span.earliest_s <= s <= span.latest_s for s in measured_s)


def test_the_thesis_own_words():
    # Chapter 6.4: 40 s until NotReady at most, 20 s of toleration after it.
    thesis = profiles.load("thesis")
    leave = reactions.evicted(thesis, reactions.not_ready(thesis))
    assert leave.earliest_s <= 60 <= leave.latest_s


@pytest.mark.parametrize("name", profiles.names())
def test_every_span_has_its_arithmetic(name):
    one = profiles.load(name)
    lost = reactions.not_ready(one)
    for span in (
        lost,
        reactions.evicted(one, lost),
        reactions.taken_over(one),
        reactions.elected(one),
        reactions.dropped(one),
    ):
        assert 0 <= span.earliest_s < span.latest_s
        assert span.why
