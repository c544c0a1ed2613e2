"""The pods of a case, put together from all watchers: the one that was hit, its replacement.

Several watchers report the same changes, each with its own delay, so that the last event
about a pod may be an old state. So only states that never go back are taken from any event:
a pod once assigned stays assigned, once being deleted stays so, and restarts only grow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from measurements import cases, events
from measurements.history import RecordedEvent


@dataclass(frozen=True, kw_only=True)
class PodHistory:
    """One pod (one uid) and everything that was said about it."""

    uid: str
    """Its uid."""
    seen: Sequence[tuple[RecordedEvent, events.PodSeen]]
    """Its states, in order of time."""
    gone: RecordedEvent | None
    """The first event that told of its removal."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.seen[0][1].name

    @property
    def app(self) -> str:
        """Its label `app.kubernetes.io/name`."""
        return self.seen[0][1].app

    @property
    def first_ns(self) -> int:
        """When it was first heard of."""
        return self.seen[0][0].t_ns

    def node(self) -> str:
        """Return the node it was assigned to; empty where it never was."""
        return next((body.node for _, body in self.seen if body.node), "")

    def restarts(self, before_ns: int) -> int:
        """Return how often its containers had started again before `before_ns`."""
        return max(
            (body.restarts for event, body in self.seen if event.t_ns < before_ns), default=0
        )

    def leaving(self, before_ns: int) -> bool:
        """Return whether it was being deleted, or gone, or had ended, before `before_ns`."""
        if self.gone is not None and self.gone.t_ns < before_ns:
            return True
        told = [body for event, body in self.seen if event.t_ns < before_ns]
        return any(body.deleting or body.phase in {"Succeeded", "Failed"} for body in told)

    def first_eviction(self, since_ns: int) -> RecordedEvent | None:
        """Return the first event that says it is being deleted, or is gone."""
        deleting = next((e for e, body in self.seen if body.deleting and e.t_ns >= since_ns), None)
        told = [event for event in (deleting, self.gone) if event and event.t_ns >= since_ns]
        return min(told, key=lambda event: event.t_ns, default=None)

    def first_scheduled(self) -> RecordedEvent | None:
        """Return the first event with a node assigned."""
        return next((event for event, body in self.seen if body.scheduled), None)

    def first_running(self, *, restarts_over: int = -1) -> RecordedEvent | None:
        """Return the first event with every container running, after that many restarts."""
        return next(
            (e for e, body in self.seen if body.running and body.restarts > restarts_over), None
        )

    def first_ready(self, *, restarts_over: int = -1) -> RecordedEvent | None:
        """Return the first event with condition Ready, after that many restarts."""
        return next(
            (e for e, body in self.seen if body.ready and body.restarts > restarts_over), None
        )


def gather(history: Iterable[RecordedEvent]) -> list[PodHistory]:
    """Return every pod that `history` (in order of time) tells of, by first sight."""
    seen: dict[str, list[tuple[RecordedEvent, events.PodSeen]]] = {}
    gone: dict[str, RecordedEvent] = {}
    for event in history:
        body = event.body
        if isinstance(body, events.PodSeen):
            seen.setdefault(body.uid, []).append((event, body))
        elif isinstance(body, events.PodGone):
            gone.setdefault(body.uid, event)
    return [PodHistory(uid=uid, seen=states, gone=gone.get(uid)) for uid, states in seen.items()]


def hit(case: cases.CaseHistory, pods: Iterable[PodHistory], since_ns: int) -> PodHistory | None:
    """Return the pod of the case's app that the fault hit: the last one alive before it."""
    alive = [
        pod
        for pod in pods
        if pod.app == case.declared.app
        and pod.first_ns < since_ns
        and not pod.leaving(since_ns)
        and case.breaks_node in {None, pod.node()}
    ]
    return max(alive, key=lambda pod: pod.first_ns, default=None)


def replacement(
    case: cases.CaseHistory, pods: Iterable[PodHistory], since_ns: int
) -> PodHistory | None:
    """Return the pod of the case's app that took over.

    Of several that appeared since the fault, the one that was Ready first; where none
    became Ready the one that got furthest, and of these the first.
    """
    younger = [pod for pod in pods if pod.app == case.declared.app and pod.first_ns >= since_ns]

    def progress(pod: PodHistory) -> tuple[int, int]:
        ready, running = pod.first_ready(), pod.first_running()
        if ready:
            return 0, ready.t_ns
        if running:
            return 1, running.t_ns
        return (2 if pod.first_scheduled() else 3), pod.first_ns

    return min(younger, key=progress, default=None)
