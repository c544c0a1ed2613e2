"""Timer profiles, and when each stage of a recovery must come under them.

The timers stand in playbooks/vars/profiles.yml, which the roles read too, so that
a prediction and the cluster that it is held against cannot differ.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from lab.config.files import PLAYBOOKS
from lab.console.errors import LabError

PROFILES_FILE = PLAYBOOKS / "vars" / "profiles.yml"

START_ALLOWANCE_S = 30.0
"""Time a pod may take from its node to its first frame on a loaded two-core machine.

No timer guarantees it: it only tells a slow start from one that never comes.
"""
LATENESS_S = 3.0
"""How much later than its timer a controller may act, and a watch event arrive."""
EARLINESS_S = 1.0
"""How much earlier than its timer an event may seem: renewals carry jitter of 4 %,
and a rule is in force some milliseconds before the harness has verified it."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a stage may be reached, counted from the fault in force."""

    earliest_s: float
    """Seconds before which the timers forbid the stage."""
    latest_s: float
    """Seconds after which it counts as missed."""
    why: str
    """The arithmetic, in words."""


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

    def windows(self, case: str) -> dict[str, Window]:
        """Return the window of each stage of `case`, in the order of the stages.

        Raises KeyError for a case without a prediction.
        """
        return {
            "pdc-killed": self._container_killed,
            "mysql-deleted": self._pod_deleted,
            "worker-isolated": self._node_isolated,
        }[case]()

    def _node_isolated(self) -> dict[str, Window]:
        """Predict the stages of a worker that is cut off.

        The newest heartbeat is up to one renewal old when the fault comes, and the
        controller looks once a period (node_lifecycle_controller.go).
        """
        not_ready = Window(
            earliest_s=max(0.0, self.node_monitor_grace_s - self.renew_s - EARLINESS_S),
            latest_s=self.node_monitor_grace_s + self.node_monitor_period_s + LATENESS_S,
            why=f"grace {self.node_monitor_grace_s} s, less up to one lease renewal "
            f"({self.renew_s:g} s), plus up to one look of the controller "
            f"({self.node_monitor_period_s} s)",
        )
        # The tainting pass may meet a cache that still calls the node Ready; it drops the
        # node then and has spent its token (node_lifecycle_controller.go).
        turn_s = 1 / self.node_eviction_rate
        evicted = Window(
            earliest_s=not_ready.earliest_s + self.toleration_s,
            latest_s=not_ready.latest_s + self.toleration_s + turn_s + LATENESS_S,
            why=f"NotReady, plus the toleration of {self.toleration_s} s, plus up to one turn of "
            f"the eviction limiter ({turn_s:g} s)",
        )
        return {
            "not_ready": not_ready,
            "evicted": evicted,
            "scheduled": _after(evicted, LATENESS_S, "after the eviction; scheduling has no timer"),
            **_starting(evicted, LATENESS_S),
        }

    def _container_killed(self) -> dict[str, Window]:
        """Predict a first restart, which the kubelet makes without back-off."""
        return _starting(Window(earliest_s=0, latest_s=0, why="first restart, no back-off"), 0)

    def _pod_deleted(self) -> dict[str, Window]:
        """Predict the replacement of a deleted pod, made when the old one is gone."""
        deleted = Window(earliest_s=0, latest_s=START_ALLOWANCE_S, why="the old pod's shutdown")
        return {
            "scheduled": _after(deleted, LATENESS_S, "after the old pod's end"),
            **_starting(deleted, LATENESS_S),
        }


def _after(before: Window, allowance_s: float, why: str) -> Window:
    return Window(
        earliest_s=before.earliest_s,
        latest_s=before.latest_s + allowance_s,
        why=why,
    )


def _starting(before: Window, lateness_s: float) -> dict[str, Window]:
    start = _after(before, lateness_s + START_ALLOWANCE_S, "after that; a start has no timer")
    return {"started": start, "ready": start, "streaming": start}


def load(name: str, file: Path = PROFILES_FILE) -> Profile:
    """Return the profile called `name`.

    Raises LabError where there is none of that name, or where it lacks a knob or
    has one that nothing reads.
    """
    profiles: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text())["lab_profiles"]
    if name not in profiles:
        raise LabError(
            f"There is no timer profile {name!r} in {file}.",
            f"Set lab_profile to one of: {', '.join(profiles)}.",
        )
    wanted = {field.name for field in fields(Profile)} - {"name"}
    if wrong := wanted ^ profiles[name].keys():
        raise LabError(
            f"The timer profile {name!r} in {file} lacks, or has beyond what is read: "
            f"{', '.join(sorted(wrong))}.",
            "Give each profile the knobs that the head of the file lists.",
        )
    return Profile(name=name, **profiles[name])
