"""Arithmetic of predicted windows: allowances, and stages that follow another."""

from lab.config.reactions import Reaction
from measurements.windows import Window

START_ALLOWANCE_S = 30.0
"""Time a pod may take from its node to its first frame on a loaded two-core machine.

No timer guarantees it: it only tells a slow start from one that never comes.
"""
LATENESS_S = 3.0
"""How much later than its timer a controller may act, and a watch event arrive."""
EARLINESS_S = 1.0
"""How much earlier than its timer an event may seem: renewals carry jitter of 4 %,
and a rule is in force some milliseconds before the harness has verified it."""


def allowed(reaction: Reaction, late: int = 1) -> Window:
    """Return the window of what the timers say, after `late` controllers that each may be late."""
    return Window(
        earliest_s=max(0.0, reaction.earliest_s - EARLINESS_S),
        latest_s=reaction.latest_s + late * LATENESS_S,
        why=reaction.why,
    )


def starting(before: Window, lateness_s: float = 0) -> dict[str, Window]:
    """Return the windows of a pod's start, which begins up to `lateness_s` after `before`."""
    start = before.later(lateness_s + START_ALLOWANCE_S, "after that; a start has no timer")
    return {"started": start, "ready": start, "streaming": start}
