"""Schedules of events by the wall clock: once, or at regular intervals."""

from dataclasses import dataclass

NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """One or many occurrences.

    A schedule that repeats by the full minute or second begins in 1970, so that PMUs in
    different processes, and one that was restarted, agree without talking.
    """

    first_ns: int
    """Start of the first occurrence, nanoseconds since 1970-01-01 UTC."""
    repeat_ns: int | None = None
    """From one start to the next; None: it happens once."""

    def occurrence(self, ns: int) -> tuple[int, float] | None:
        """Return number and age in seconds of the last occurrence that began; None before all."""
        since = ns - self.first_ns
        if since < 0:
            return None
        if self.repeat_ns is None:
            return 0, since / NS
        number, age = divmod(since, self.repeat_ns)
        return number, age / NS


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A schedule whose occurrences last for some time."""

    schedule: Schedule
    """When it starts."""
    duration_s: float | None = None
    """How long it lasts; None: until the process ends."""

    def covers(self, ns: int) -> bool:
        """Tell whether an occurrence is under way."""
        found = self.schedule.occurrence(ns)
        return found is not None and (self.duration_s is None or found[1] < self.duration_s)

    def edges(self, ns: int) -> int:
        """Return how many occurrences have begun or ended."""
        found = self.schedule.occurrence(ns)
        if found is None:
            return 0
        ended = self.duration_s is not None and found[1] >= self.duration_s
        return 2 * found[0] + 1 + ended
