"""Saying each thing once, so that a repeated event does not fill the log."""

from collections.abc import Hashable

_MOST = 1000


class Once:
    """Remembers up to `most` things; what exceeds that counts as known."""

    def __init__(self, most: int = _MOST) -> None:
        self._known: set[Hashable] = set()
        self._most = most

    def first(self, what: Hashable) -> bool:
        """Tell whether this is the first time that `what` is asked for, and remember it."""
        if what in self._known or len(self._known) >= self._most:
            return False
        self._known.add(what)
        return True
