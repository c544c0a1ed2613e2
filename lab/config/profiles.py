"""Timer profiles: every timer that decides how fast a cluster notices a loss and recovers.

The timers stand in playbooks/vars/profiles.yml, which the roles read too, so that
a prediction and the cluster that it is compared with cannot differ.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lab.config import yaml_file
from lab.config.files import PLAYBOOKS
from lab.config.settings import shown
from lab.console.errors import LabError

PROFILES_FILE = PLAYBOOKS / "vars" / "profiles.yml"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One named set of timers; the units are in the names."""

    name: str
    """As in `lab_profile`."""
    node_lease_duration_s: int
    """Validity of a kubelet's Lease; it is renewed at a quarter of this."""
    node_status_update_s: int
    """Interval of the kubelet's status computation."""
    node_monitor_period_s: int
    """Interval at which the node life-cycle controller looks at all nodes."""
    node_monitor_grace_s: int
    """Age of the newest heartbeat at which a node becomes NotReady."""
    node_eviction_rate: float
    """Nodes per second whose pods are evicted; a turn spent in vain costs one interval."""
    toleration_s: int
    """Time that a pod stays bound to a NotReady or unreachable node."""
    http2_read_idle_s: int
    """Silence after which a client pings its API server."""
    http2_ping_s: int
    """Time without an answer to the ping after which the connection is dropped."""
    etcd_heartbeat_ms: int
    """Interval of the etcd leader's heartbeats."""
    etcd_election_ms: int
    """Silence after which an etcd follower calls an election."""
    leader_lease_s: int
    """Lease of the leading controller-manager and scheduler."""
    leader_renew_s: int
    """Time within which the leader must renew it, or exit."""
    leader_retry_s: int
    """Interval at which the others try to take it."""
    k3s_lease_s: int
    """Lease of k3s' own controllers, which only k3s has."""
    k3s_renew_s: int
    """Time within which their server must renew it, or end and start again."""
    k3s_retry_s: int
    """Interval at which the others try to take it."""

    @property
    def timers(self) -> dict[str, float]:
        """Every knob but the name, as the roles take them."""
        knobs: dict[str, Any] = asdict(self)
        del knobs["name"]
        return knobs

    @property
    def renew_s(self) -> float:
        """Interval of a kubelet's lease renewals (a quarter of the lease)."""
        return self.node_lease_duration_s / 4

    @property
    def eviction_turn_s(self) -> float:
        """Interval at which the eviction limiter lets a node's pods go."""
        return 1 / self.node_eviction_rate


def names(file: Path = PROFILES_FILE) -> list[str]:
    """Return the names of all profiles; raises LabError where the file is damaged."""
    return [str(name) for name in _read(file)]


def load(name: str, file: Path = PROFILES_FILE) -> Profile:
    """Return the profile called `name`.

    Raises LabError where there is none of that name, or where it lacks a knob or
    has one that nothing reads.
    """
    profiles = _read(file)
    if name not in profiles:
        raise LabError(
            f"There is no timer profile {name!r} in {file}.",
            f"Set lab_profile to one of: {', '.join(map(str, profiles))}.",
        )
    knobs = {field.name: field.type for field in fields(Profile) if field.name != "name"}
    if wrong := knobs.keys() ^ profiles[name].keys():
        raise LabError(
            f"The timer profile {name!r} in {file} lacks, or has beyond what is read: "
            f"{', '.join(sorted(map(str, wrong)))}.",
            "Give each profile the knobs that the head of the file lists.",
        )
    for knob, value in profiles[name].items():
        least = 0.001 if knob == "node_eviction_rate" else 0
        if type(value) not in (int, knobs[knob]) or value < least:
            raise LabError(
                f"The timer profile {name!r} in {file}: {knob} must be a number from {least} on; "
                f"it is {shown(value)}.",
                "Mend it there.",
            )
    return Profile(name=name, **profiles[name])


def _read(file: Path) -> dict[str, Any]:
    found = yaml_file.load(file)
    profiles = found.get("lab_profiles") if isinstance(found, dict) else None
    if not isinstance(profiles, dict) or not all(isinstance(p, dict) for p in profiles.values()):
        raise LabError(f"{file} holds no profiles below lab_profiles.", "Restore it.")
    return profiles
