"""What GlusterFS says of its replicas."""

import pytest

from experiment.workloads.replicas import lacking

EQUAL = """Brick 10.0.0.11:/var/lib/blackstart/bricks/blackstart
Status: Connected
Number of entries: 0

Brick 10.0.0.12:/var/lib/blackstart/bricks/blackstart
Status: Connected
Number of entries: 0
"""


@pytest.mark.parametrize("said", ["", EQUAL])
def test_equal_replicas_and_none_lack_nothing(said):
    assert lacking(said) is None


def test_a_replica_that_is_behind_is_named():
    said = EQUAL.replace("entries: 0\n\n", "entries: 3\n\n")
    assert (
        lacking(said)
        == "the replica on 10.0.0.11 is not equal to the others yet (files to heal: 3)"
    )


def test_one_that_is_away_is_named():
    away = "Brick 10.0.0.13:/b\nStatus: Transport endpoint is not connected\nNumber of entries: -\n"
    assert lacking(EQUAL + away).startswith("the replica on 10.0.0.13 is not equal")


def test_a_daemon_that_does_not_answer_is_not_equal():
    assert lacking("Number of entries: unknown") is not None
