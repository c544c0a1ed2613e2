import itertools

import pytest

from lab.config import profiles
from lab.config.profiles import LATENESS_S
from lab.console.errors import LabError

CASES = ["pdc-killed", "mysql-deleted", "worker-isolated"]


def test_thesis_predicts_what_the_thesis_says():
    # Section 6.4: NotReady after at most 40 s by design, pods moved about 60 s after the fault.
    windows = profiles.load("thesis").windows("worker-isolated")
    assert windows["not_ready"].earliest_s <= 30 <= windows["not_ready"].latest_s
    assert windows["not_ready"].earliest_s <= 40 <= windows["not_ready"].latest_s
    assert windows["evicted"].earliest_s <= 60 <= windows["evicted"].latest_s


def test_floor_forbids_what_only_the_thesis_timers_allow():
    floor = profiles.load("floor").windows("worker-isolated")
    thesis = profiles.load("thesis").windows("worker-isolated")
    assert floor["not_ready"].latest_s < thesis["not_ready"].earliest_s
    assert floor["not_ready"].latest_s == pytest.approx(4 + 1 + LATENESS_S)


@pytest.mark.parametrize("name", ["thesis", "floor"])
@pytest.mark.parametrize("case", CASES)
def test_windows_are_ordered(name, case):
    windows = list(profiles.load(name).windows(case).values())
    assert windows
    for window in windows:
        assert 0 <= window.earliest_s < window.latest_s
        assert window.why
    for before, after in itertools.pairwise(windows):
        assert before.earliest_s <= after.earliest_s
        assert before.latest_s <= after.latest_s


@pytest.mark.parametrize("name", ["thesis", "floor"])
def test_timers_that_kubernetes_would_refuse_or_that_flap(name):
    profile = profiles.load(name)
    assert profile.leader_lease_s > profile.leader_renew_s > profile.leader_retry_s
    assert profile.etcd_election_ms >= 5 * profile.etcd_heartbeat_ms
    assert profile.node_monitor_grace_s > profile.renew_s + profile.node_monitor_period_s
    if profile.node_monitor_grace_s < 40:
        dropped_s = profile.http2_read_idle_s + profile.http2_ping_s
        assert dropped_s < profile.node_monitor_grace_s, "a hung connection turns a node NotReady"


def test_unknown_profile_names_those_that_exist():
    with pytest.raises(LabError, match="thesis, floor") as caught:
        profiles.load("fastest")
    assert "'fastest'" in caught.value.message


def test_profile_with_a_knob_too_few_or_too_many(tmp_path):
    file = tmp_path / "profiles.yml"
    file.write_text("lab_profiles: {short: {toleration_s: 1, typo_s: 2}}")
    with pytest.raises(LabError, match="typo_s"):
        profiles.load("short", file)
