import pytest

from lab.config import profiles
from lab.console.errors import LabError


@pytest.mark.parametrize("name", profiles.names())
def test_timers_that_kubernetes_would_refuse_or_that_flap(name):
    profile = profiles.load(name)
    assert profile.leader_lease_s > profile.leader_renew_s > profile.leader_retry_s
    assert profile.k3s_lease_s > profile.k3s_renew_s > profile.k3s_retry_s
    assert profile.etcd_election_ms >= 5 * profile.etcd_heartbeat_ms
    assert profile.node_monitor_grace_s > profile.renew_s + profile.node_monitor_period_s
    if profile.node_monitor_grace_s < 40:
        dropped_s = profile.http2_read_idle_s + profile.http2_ping_s
        assert dropped_s < profile.node_monitor_grace_s, "a hung connection turns a node NotReady"


def test_unknown_profile_names_those_that_exist():
    with pytest.raises(LabError, match="stock, thesis, fast, floor, slow") as caught:
        profiles.load("fastest")
    assert "'fastest'" in caught.value.message


def test_profile_with_a_knob_too_few_or_too_many(tmp_path):
    file = tmp_path / "profiles.yml"
    file.write_text("lab_profiles: {short: {toleration_s: 1, typo_s: 2}}")
    with pytest.raises(LabError, match="typo_s"):
        profiles.load("short", file)
