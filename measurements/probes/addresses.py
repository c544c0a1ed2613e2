"""Several addresses of one service, such as a NodePort on every node."""

import time
from collections.abc import Sequence

Address = tuple[str, int]
"""Host and port."""


class Rotation:
    """Chooses the address to try next: in turn, those that hang less often.

    A node that is cut off answers nothing, and each attempt on it costs a whole
    time-out in which a recovery elsewhere would be seen too late. So it is left out for
    `rest_s` seconds, unless every address hangs.
    """

    def __init__(self, addresses: Sequence[Address], *, rest_s: float = 5.0) -> None:
        if not addresses:
            raise ValueError("a probe needs at least one address")
        self._addresses = tuple(addresses)
        self._rest_s = rest_s
        self._last = -1
        self._resting: dict[int, float] = {}

    def next(self) -> Address:
        """Return the address to try now."""
        now = time.monotonic()
        count = len(self._addresses)
        order = [(self._last + step) % count for step in range(1, count + 1)]
        awake = [index for index in order if self._resting.get(index, 0.0) <= now]
        self._last = awake[0] if awake else min(order, key=lambda index: self._resting[index])
        return self._addresses[self._last]

    def hung(self) -> None:
        """Rest the last address: it gave no answer in time."""
        self._resting[self._last] = time.monotonic() + self._rest_s

    def answered(self) -> None:
        """End the rest of the last address: it answered, be it with a refusal."""
        self._resting.pop(self._last, None)
