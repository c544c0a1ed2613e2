"""The cases of a history: the events that belong to each, and its fault."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from measurements import events
from measurements.events import FaultBody
from measurements.history import RecordedEvent

BodyT = TypeVar("BodyT", bound=events.Body)


@dataclass(frozen=True, kw_only=True)
class CaseHistory:
    """One case of a history, its events in order of time."""

    name: str
    """Its name, such as `worker-isolated`; a repeated name gets ` #2`, ` #3`, ..."""
    declared: events.CaseStart
    """What it said it would do."""
    start: RecordedEvent
    """Its first event."""
    end: RecordedEvent | None
    """Its case_end; None where the run broke off, or still runs."""
    earlier: Sequence[RecordedEvent]
    """All events of the history before it, for what was known when it began."""
    events: Sequence[RecordedEvent]
    """Its own events, the first and the last included."""

    @property
    def fault(self) -> FaultBody | None:
        """What the fault said of itself; None where none was started."""
        return next((e.body for e in self.events if isinstance(e.body, FaultBody)), None)

    @property
    def breaks_node(self) -> str | None:
        """The node that the fault breaks; None where it breaks none."""
        return self.fault.breaks_node if self.fault else None

    @property
    def healing(self) -> RecordedEvent | None:
        """The moment from which on nothing is the fault's doing.

        None for a fault that strikes once: what follows it stays its doing to the end.
        """
        return self.fault_stop if self.fault and self.fault.lasts else None

    @property
    def fault_start(self) -> RecordedEvent | None:
        """The moment the fault was about to be applied."""
        return first(self.events, events.FaultStart)

    @property
    def in_force(self) -> RecordedEvent | None:
        """The moment from which intervals count."""
        return first(self.events, events.FaultInForce)

    @property
    def fault_stop(self) -> RecordedEvent | None:
        """The moment healing began."""
        return first(self.events, events.FaultStop)

    @property
    def healed(self) -> RecordedEvent | None:
        """The moment the fault was gone."""
        return first(self.events, events.FaultHealed)

    @property
    def since_ns(self) -> int | None:
        """From when on an event can be the fault's doing; None where there was no fault.

        A fault is applied first and found in force afterwards, so its first effects may
        be recorded in between.
        """
        moments = [event.t_ns for event in (self.fault_start, self.in_force) if event]
        return min(moments) if self.in_force else None

    @property
    def until_ns(self) -> int:
        """The last moment that the case saw."""
        return self.end.t_ns if self.end else self.events[-1].t_ns

    def seconds(self, event: RecordedEvent) -> float:
        """Return when `event` happened, in seconds from fault in force.

        Without a fault, from the case's start.
        """
        return (event.t_ns - (self.in_force or self.start).t_ns) / 1e9

    def known_before(self, t_ns: int) -> list[RecordedEvent]:
        """Return all events of the run before `t_ns`, earlier cases included."""
        return [*self.earlier, *(event for event in self.events if event.t_ns < t_ns)]


def first(history: Iterable[RecordedEvent], kind: type[events.Body]) -> RecordedEvent | None:
    """Return the first event of `kind`; None where there is none."""
    return next((event for event in history if isinstance(event.body, kind)), None)


def of_kind(
    history: Iterable[RecordedEvent], kind: type[BodyT]
) -> list[tuple[RecordedEvent, BodyT]]:
    """Return all events of `kind`, each with its body."""
    return [(event, event.body) for event in history if isinstance(event.body, kind)]


def split(history: Iterable[RecordedEvent]) -> list[CaseHistory]:
    """Return the cases of `history` in order of time.

    A case lasts from its case_start to its case_end, or to the next case_start where
    the harness died in between, or to the end of the history.
    """
    ordered = sorted(history, key=lambda event: (event.t_ns, event.line))
    starts = [i for i, event in enumerate(ordered) if isinstance(event.body, events.CaseStart)]
    ends = [*starts, len(ordered)][1:]
    seen: dict[str, int] = {}
    cases = []
    for begin, limit in zip(starts, ends, strict=True):
        declared = ordered[begin].body
        assert isinstance(declared, events.CaseStart)  # noqa: S101  # narrowed above
        stop = next(
            (i for i in range(begin, limit) if isinstance(ordered[i].body, events.CaseEnd)), None
        )
        name = ordered[begin].case
        seen[name] = seen.get(name, 0) + 1
        cases.append(
            CaseHistory(
                name=name if seen[name] == 1 else f"{name} #{seen[name]}",
                declared=declared,
                start=ordered[begin],
                end=None if stop is None else ordered[stop],
                earlier=ordered[:begin],
                events=ordered[begin : limit if stop is None else stop + 1],
            )
        )
    return cases
