"""Growing pauses between attempts."""


class Backoff:
    """Pauses between attempts: each is twice the one before, from `first_s` up to `last_s`."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self._first_s = first_s
        self._last_s = last_s
        self._next_s = first_s

    def pause_s(self) -> float:
        """Return how long to wait before the next attempt, in seconds."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, self._last_s)
        return pause_s

    def reset(self) -> None:
        """Start with the first pause again, after a success."""
        self._next_s = self._first_s
