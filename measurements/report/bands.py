"""What a timeline draws: for each row, which state held from when to when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from measurements import cases, events, pod_histories

Look = Literal["good", "waiting", "bad", "leaving"]


@dataclass(frozen=True, kw_only=True)
class Band:
    """One state that held for a while."""

    begin_s: float
    """From, in seconds from fault in force."""
    end_s: float
    """Until."""
    look: Look
    """How it is drawn."""
    words: str
    """What it is."""


@dataclass(frozen=True, kw_only=True)
class TimelineRow:
    """One thing and its states."""

    label: str
    """What it is, such as a pod's name."""
    detail: str
    """The rest of it, such as where it runs."""
    bands: Sequence[Band]
    """Its states, in order."""


Change = tuple[float, Look | None, str]
"""A second, what is drawn from then on (None: nothing), and its words."""


def rows(case: cases.CaseHistory) -> list[TimelineRow]:
    """Return the rows of nodes and pods, from the broken node to the pod that took over."""
    everyone = pod_histories.gather([*case.earlier, *case.events])
    ours = [pod for pod in everyone if pod.app == case.declared.app]
    # Only pods that lived during the case, the oldest first.
    living = [pod for pod in ours if not pod.leaving(case.start.t_ns)]
    return [*_nodes(case), *(_pod(case, pod) for pod in living)]


def _nodes(case: cases.CaseHistory) -> list[TimelineRow]:
    """Return the broken node's row, and one for each other that left Ready."""
    told: dict[str, list[tuple[float, str]]] = {}
    for event, body in cases.of_kind([*case.earlier, *case.events], events.NodeSeen):
        states = told.setdefault(body.name, [])
        # Several servers tell the same news; only the first counts.
        if not states or states[-1][1] != body.ready:
            states.append((case.seconds(event), body.ready))
    begin = case.seconds(case.start)
    names = [case.breaks_node] if case.breaks_node else []
    names += [
        name
        for name, states in told.items()
        if name not in names and any(at >= begin and ready != "True" for at, ready in states)
    ]
    return [
        TimelineRow(
            label=name,
            detail="node, broken on purpose" if name == case.breaks_node else "node",
            bands=_bands(
                case,
                [
                    (at, "good" if ready == "True" else "bad", _READY.get(ready, "not Ready"))
                    for at, ready in told.get(name, [])
                ],
            ),
        )
        for name in names
    ]


_READY = {"True": "Ready", "False": "not Ready", "Unknown": "not Ready (unknown)"}


def _pod(case: cases.CaseHistory, pod: pod_histories.PodHistory) -> TimelineRow:
    changes: list[Change] = []
    restarts = pod.restarts(case.start.t_ns)
    leaving = was_ready = False
    for event, body in pod.seen:
        leaving = leaving or body.deleting
        was_ready = was_ready or body.ready
        look, words = _pod_look(body, leaving=leaving, was_ready=was_ready)
        if body.restarts > restarts:
            words += f", restart {body.restarts}"
        changes.append((case.seconds(event), look, words))
    if pod.gone:
        changes.append((case.seconds(pod.gone), None, ""))
    where = pod.node()
    return TimelineRow(
        label=pod.name, detail=f"on {where}" if where else "", bands=_bands(case, changes)
    )


def _pod_look(body: events.PodSeen, *, leaving: bool, was_ready: bool) -> tuple[Look, str]:
    if leaving:
        return "leaving", "being deleted"
    if body.ready:
        return "good", "Ready"
    if not body.scheduled:
        return "waiting", "waiting for a node"
    if was_ready:
        return "bad", "not Ready"
    return "waiting", "not Ready yet" if body.running else "starting"


def _bands(case: cases.CaseHistory, changes: Sequence[Change]) -> list[Band]:
    """Return the bands between `changes`, cut to the case."""
    begin = case.seconds(case.start)
    end = (case.until_ns - (case.in_force or case.start).t_ns) / 1e9
    bands: list[Band] = []
    for number, (at, look, words) in enumerate(changes):
        until = changes[number + 1][0] if number + 1 < len(changes) else end
        since, until = max(at, begin), min(until, end)
        if look is None or until <= since:
            continue
        last = bands[-1] if bands else None
        if last and last.look == look and last.words == words and last.end_s >= since:
            bands[-1] = Band(begin_s=last.begin_s, end_s=until, look=look, words=words)
        else:
            bands.append(Band(begin_s=since, end_s=until, look=look, words=words))
    return bands
