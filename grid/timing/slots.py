"""The reporting times of a stream: frame k of a second is at k/rate (C37.118.1, 5.4)."""

_NS = 1_000_000_000


class Slots:
    """Numbers the reporting times of a DATA_RATE by integers that grow with time.

    Slot n of a rate of r frames a second is at n/r s after 1970-01-01 UTC, so that the
    slots of every full second begin at its start.
    """

    def __init__(self, data_rate: int) -> None:
        if data_rate == 0:
            raise ValueError("a data rate of 0 has no reporting times")
        self._per_second = max(data_rate, 1)
        self._seconds = max(-data_rate, 1)
        self.period_ns = _NS * self._seconds // self._per_second
        """Nanoseconds between two slots, rounded down."""

    def time_ns(self, slot: int) -> int:
        """Return the time of a slot, in nanoseconds since 1970-01-01 UTC."""
        return slot * self._seconds * _NS // self._per_second

    def nearest(self, ns: int) -> int:
        """Return the slot nearest to a time."""
        unit = self._seconds * _NS
        return (2 * ns * self._per_second + unit) // (2 * unit)

    def following(self, ns: int) -> int:
        """Return the first slot after a time."""
        return ns * self._per_second // (self._seconds * _NS) + 1
