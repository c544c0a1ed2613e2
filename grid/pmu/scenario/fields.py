"""Fields of a scenario, checked without stopping at the first that is wrong."""

import contextlib
import datetime
from collections.abc import Mapping
from typing import Any

from grid.documents.stream_fields import StreamFields
from grid.pmu.signals.schedule import NS, Schedule, Span

_MINUTE_S = 60


class ScenarioFields(StreamFields):
    """Adds numbers, times and schedules; each method returns something usable."""

    def __init__(self, process_ns: int) -> None:
        super().__init__()
        self._process_ns = process_ns

    def number(
        self,
        entry: Mapping[str, Any],
        key: str,
        where: str,
        low: float,
        high: float,
        default: float | None = None,
    ) -> float:
        """Return a number within `low` and `high`."""
        value = entry.get(key, default)
        # YAML 1.1 reads 1e-4 as a text; 1.0e-4 is a number.
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = float(value)
        if type(value) in (int, float) and low <= value <= high:
            return float(value)
        self.problems.append(f"{where}.{key}: {value!r} is no number within {low:g}..{high:g}")
        return low

    def maybe(
        self, entry: Mapping[str, Any], key: str, where: str, low: float, high: float
    ) -> float | None:
        """Return a number within `low` and `high`, None where the key is missing."""
        return self.number(entry, key, where, low, high) if key in entry else None

    def text(self, entry: Mapping[str, Any], key: str, where: str, default: str = "") -> str:
        """Return a text."""
        value = entry.get(key, default)
        if isinstance(value, str):
            return value
        self.problems.append(f"{where}.{key}: a text is expected, not {value!r}")
        return default

    def utc(self, value: object, where: str) -> int:
        """Return a time, written as 2026-12-31T23:59:00Z, in ns since 1970-01-01 UTC."""
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            return round(value.timestamp() * 1e6) * 1000
        self.problems.append(f"{where}: {value!r} is no time such as 2026-12-31T23:59:00Z")
        return 0

    def schedule(self, entry: Mapping[str, Any], where: str) -> Schedule:
        """Return what `start` and `repeat_s` say."""
        forms = "{utc: TIME}, {process_s: S}, {minute_s: S} or {second_s: S}"
        start = entry.get("start")
        if not isinstance(start, dict) or len(start) != 1:
            self.problems.append(f"{where}.start: one of {forms} is expected, not {start!r}")
            return Schedule(first_ns=0)
        (form,) = start
        at = f"{where}.start"
        repeat = self.maybe(entry, "repeat_s", where, 0.1, 86_400)
        if form == "utc":
            return Schedule(first_ns=self.utc(start[form], at), repeat_ns=_ns(repeat))
        if form == "process_s":
            after = self.number(start, form, at, 0, 1e6)
            return Schedule(first_ns=self._process_ns + round(after * NS), repeat_ns=_ns(repeat))
        if form in ("minute_s", "second_s"):
            unit = _MINUTE_S if form == "minute_s" else 1
            every = unit if repeat is None else repeat
            if every % unit:
                self.problems.append(f"{where}.repeat_s: {every:g} is no multiple of {unit} s")
            offset = self.number(start, form, at, 0, every - 1e-9)
            return Schedule(first_ns=round(offset * NS), repeat_ns=_ns(every))
        self.problems.append(f"{at}: unknown {form!r}; write {forms}")
        return Schedule(first_ns=0)

    def span(self, entry: Mapping[str, Any], where: str, *, least_s: float = 0.0) -> Span:
        """Return what `start`, `repeat_s` and `duration_s` say."""
        schedule = self.schedule(entry, where)
        duration = self.maybe(entry, "duration_s", where, max(least_s, 0.001), 1e6)
        if schedule.repeat_ns is not None:
            repeat = schedule.repeat_ns / NS
            if duration is None or duration > repeat:
                self.problems.append(
                    f"{where}.duration_s: what begins each {repeat:g} s needs an end within them"
                )
        return Span(schedule=schedule, duration_s=duration)


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * NS)
