"""When a cluster reacts to a fault, as its timers say: the arithmetic, without allowances.

Sources: node_lifecycle_controller.go for nodes and evictions, client-go's leaderelection.go for
leases, etcd's raft for elections. Times are seconds after the fault.
"""

from dataclasses import dataclass

from lab.config.profiles import Profile

LEASE_JITTER = 1.2
"""A candidate asks for a lease after up to this many times the interval of its tries."""


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """Between which moments a stage comes."""

    earliest_s: float
    """The timers forbid it before."""
    latest_s: float
    """The timers demand it until then, on a machine that takes no time."""
    why: str
    """The arithmetic, in words."""


def not_ready(profile: Profile) -> Reaction:
    """Return when a node that is lost becomes NotReady.

    Its newest heartbeat is up to one renewal old, and the controller looks once a period.
    """
    return Reaction(
        earliest_s=max(0.0, profile.node_monitor_grace_s - profile.renew_s),
        latest_s=profile.node_monitor_grace_s + profile.node_monitor_period_s,
        why=f"grace {profile.node_monitor_grace_s} s, less up to one lease renewal "
        f"({profile.renew_s:g} s), plus up to one look of the controller "
        f"({profile.node_monitor_period_s} s)",
    )


def evicted(profile: Profile, after: Reaction) -> Reaction:
    """Return when the pods of a node leave it that became NotReady as `after` says.

    The tainting pass may meet a cache that still calls the node Ready; it drops the node then
    and has spent its token.
    """
    return Reaction(
        earliest_s=after.earliest_s + profile.toleration_s,
        latest_s=after.latest_s + profile.toleration_s + profile.eviction_turn_s,
        why=f"NotReady, plus the toleration of {profile.toleration_s} s, plus up to one turn of "
        f"the eviction limiter ({profile.eviction_turn_s:g} s)",
    )


def taken_over(profile: Profile) -> Reaction:
    """Return when another controller-manager, or scheduler, leads in place of a lost one.

    The lost one renewed its lease up to one interval ago; the others count the lease from when
    they saw that, which is up to one try of theirs later, and take it at their next try.
    """
    tries_s = profile.leader_retry_s * LEASE_JITTER
    return Reaction(
        earliest_s=float(profile.leader_lease_s - profile.leader_retry_s),
        latest_s=profile.leader_lease_s + 2 * tries_s,
        why=f"lease {profile.leader_lease_s} s, less up to one renewal ({profile.leader_retry_s} "
        f"s), plus up to two tries of the others ({tries_s:g} s each)",
    )


def not_ready_after_take_over(profile: Profile) -> Reaction:
    """Return when a lost server becomes NotReady whose controller-manager led.

    The new leader knows no heartbeats: a full grace period begins when it does.
    """
    begins = taken_over(profile)
    return Reaction(
        earliest_s=begins.earliest_s + profile.node_monitor_grace_s,
        latest_s=begins.latest_s + profile.node_monitor_grace_s + 2 * profile.node_monitor_period_s,
        why=f"another controller-manager leads, then a full grace period "
        f"({profile.node_monitor_grace_s} s), plus up to two of its looks "
        f"({profile.node_monitor_period_s} s each)",
    )


def elected(profile: Profile) -> Reaction:
    """Return when etcd has another leader in place of a lost one, and takes writes again.

    A follower waits between one and two election time-outs, drawn at random.
    """
    timeout_s = profile.etcd_election_ms / 1000
    return Reaction(
        earliest_s=max(0.0, timeout_s - profile.etcd_heartbeat_ms / 1000),
        latest_s=2 * timeout_s,
        why=f"an election after one to two time-outs ({timeout_s:g} s each)",
    )


def dropped(profile: Profile) -> Reaction:
    """Return when a client gives up a connection that hangs on a lost server."""
    return Reaction(
        earliest_s=0.0,
        latest_s=float(profile.http2_read_idle_s + profile.http2_ping_s),
        why=f"silence of {profile.http2_read_idle_s} s, then {profile.http2_ping_s} s without an "
        "answer to a ping",
    )
