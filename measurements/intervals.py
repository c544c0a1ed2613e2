"""From a history to the figures of a report: pure functions, no clock, no network.

Every interval counts from the moment the fault was in force, on the control machine's
monotonic clock, and names the lines of `history.jsonl` that it follows from.
"""

from itertools import pairwise
from pathlib import Path

from measurements import cases, events, history, pod_histories, results
from measurements.results import CaseResult, FalseAlarm, Interval, RowCounts
from measurements.statistics import frames, outages

SQL_SILENCE_S = 1.0
"""Acknowledgements further apart than this are a gap: ten rows at one every 100 ms."""


def measure_file(path: Path) -> list[CaseResult]:
    """Return the results of every case in the history at `path`."""
    return [measure(case) for case in cases.split(history.read(path))]


def measure(case: cases.CaseHistory) -> CaseResult:
    """Return what the events of `case` say."""
    ended = case.end.body if case.end else None
    record = frames.of(case)
    fault = case.fault
    return CaseResult(
        name=case.name,
        title=case.declared.title,
        app=case.declared.app,
        recovery=case.declared.recovery,
        published=case.declared.published,
        outcome=ended.outcome if isinstance(ended, events.CaseEnd) else "aborted",
        message=ended.message if isinstance(ended, events.CaseEnd) else "",
        fault=fault.fault if fault else "",
        target=fault.target if fault else "",
        lasts=fault.lasts if fault else False,
        breaks_node=case.breaks_node,
        in_force_line=case.in_force.line if case.in_force else None,
        in_force_wall=case.in_force.wall if case.in_force else "",
        stopped_s=case.seconds(case.fault_stop) if case.fault_stop else None,
        healed_s=case.seconds(case.healed) if case.healed else None,
        intervals=_intervals(case),
        windows=dict(case.declared.windows),
        frames=frames.count(case, record) if record else None,
        sql=_rows(case),
        false_not_ready=tuple(_false_alarms(case)),
        load=max(
            (body.one_minute / body.cores for _, body in cases.of_kind(case.events, events.Load)),
            default=None,
        ),
        # A probe in trouble says the same again and again.
        notes=tuple(
            dict.fromkeys(body.text for _, body in cases.of_kind(case.events, events.Note))
        ),
    )


def _intervals(case: cases.CaseHistory) -> dict[str, Interval]:
    since_ns = case.since_ns
    if since_ns is None:
        why = Interval(seconds=None, reason="the fault never came into force")
        return dict.fromkeys(results.STAGES, why)
    rows = [event for event, _ in cases.of_kind(case.events, events.RowAcknowledged)]
    record = frames.of(case)
    nothing = outages.Series(times=())
    return {
        "not_ready": _not_ready(case, since_ns),
        **_pod_stages(case, since_ns),
        "streaming": _resumed(
            case, record.series(complete=False) if record else nothing, what="frame"
        ),
        "complete": _resumed(
            case, record.series(complete=True) if record else nothing, what="complete frame"
        ),
        "writing": _resumed(
            case, outages.Series(times=rows, silence_s=SQL_SILENCE_S), what="acknowledged row"
        ),
    }


def _not_ready(case: cases.CaseHistory, since_ns: int) -> Interval:
    node = case.breaks_node
    if node is None:
        return _absent("the fault breaks no node", applicable=False)
    known = cases.of_kind(case.known_before(since_ns), events.NodeSeen)
    before = [body.ready for _, body in known if body.name == node]
    if not before:
        return _absent(f"no watcher had seen {node} before the fault")
    if before[-1] != "True":
        return _absent(f"{node} was not Ready before the fault either")
    for event, body in cases.of_kind(_caused(case, since_ns), events.NodeSeen):
        if body.name == node and body.ready != "True":
            return _at(case, event, f"Ready={body.ready}, seen through {body.via}")
    return _absent(f"{node} stayed Ready for as long as the fault lasted")


def _pod_stages(case: cases.CaseHistory, since_ns: int) -> dict[str, Interval]:
    stages = ("evicted", "scheduled", "started", "ready")
    everyone = pod_histories.gather([*case.earlier, *_until_healing(case)])
    old = pod_histories.hit(case, everyone, since_ns)
    if old is None:
        where = f" on {case.breaks_node}" if case.breaks_node else ""
        reason = f"no pod of {case.declared.app} was seen{where} before the fault"
        return dict.fromkeys(stages, _absent(reason))
    if case.declared.recovery == "restart":
        return _restart_stages(case, old, since_ns)
    evicted = old.first_eviction(since_ns)
    new = pod_histories.replacement(case, everyone, since_ns)
    found = {
        "evicted": _at(case, evicted, f"{old.name} on {old.node()}")
        if evicted
        else _absent(f"{old.name} was never asked to go"),
    }
    if new is None:
        reason = f"no new pod of {case.declared.app} appeared"
        return found | dict.fromkeys(stages[1:], _absent(reason))
    told = {
        "scheduled": (new.first_scheduled(), f"{new.name} on {new.node()}"),
        "started": (new.first_running(), new.name),
        "ready": (new.first_ready(), new.name),
    }
    return found | {
        stage: _at(case, event, about) if event else _absent(f"{new.name} never got there")
        for stage, (event, about) in told.items()
    }


def _restart_stages(
    case: cases.CaseHistory, pod: pod_histories.PodHistory, since_ns: int
) -> dict[str, Interval]:
    """Return the stages of a container that starts again in its pod."""
    before = pod.restarts(since_ns)
    stays = _absent("the pod stays: its container starts again in place", applicable=False)
    started = pod.first_running(restarts_over=before)
    ready = pod.first_ready(restarts_over=before)
    left = pod.first_eviction(since_ns)
    why = f"{pod.name} did not start again"
    if left:
        why = f"{pod.name} was removed instead (line {left.line})"
    return {
        "evicted": stays,
        "scheduled": stays,
        "started": _at(case, started, pod.name) if started else _absent(why),
        "ready": _at(case, ready, pod.name) if ready else _absent(why),
    }


def _resumed(case: cases.CaseHistory, series: outages.Series, *, what: str) -> Interval:
    if not series.times:
        applicable = what != "acknowledged row"
        return _absent(f"no {what} came during the case", applicable=applicable)
    longest = outages.longest(case, series)
    if longest is None:
        cost = f" cost a {what}" if series.keys else ""
        return _absent(
            f"never interrupted: no pause of more than {series.silence_s:g} s{cost}",
            applicable=False,
        )
    if longest.after is None:
        return _absent(f"no {what} came after {case.seconds(longest.before):.2f} s")
    parts = f", in {longest.parts} parts" if longest.parts > 1 else ""
    return Interval(
        seconds=case.seconds(longest.after),
        reason=f"after a gap of {longest.seconds:.2f} s{parts}",
        lines=longest.lines,
    )


def _false_alarms(case: cases.CaseHistory) -> list[FalseAlarm]:
    """Return the other nodes that were Ready and, the fault in force, no longer were."""
    if case.since_ns is None:
        return []
    known = cases.of_kind(case.known_before(case.since_ns), events.NodeSeen)
    was_ready = {body.name: body.ready == "True" for _, body in known}
    alarms: dict[str, FalseAlarm] = {}
    for event, body in cases.of_kind(case.events, events.NodeSeen):
        calm = event.t_ns < case.since_ns or body.ready == "True"
        if calm or body.name == case.breaks_node or not was_ready.get(body.name):
            continue
        alarms.setdefault(
            body.name,
            FalseAlarm(
                node=body.name, seconds=case.seconds(event), ready=body.ready, line=event.line
            ),
        )
    return list(alarms.values())


def _rows(case: cases.CaseHistory) -> RowCounts | None:
    rows = [event for event, _ in cases.of_kind(case.events, events.RowAcknowledged)]
    failed = cases.of_kind(case.events, events.SqlFailed)
    checks = cases.of_kind(case.events, events.SqlChecked)
    if not rows and not failed:
        return None
    widest = max(
        pairwise(rows),
        key=lambda pair: pair[1].t_ns - pair[0].t_ns,
        default=None,
    )
    return RowCounts(
        acknowledged=len(rows),
        errors=len(failed),
        longest_gap_s=(widest[1].t_ns - widest[0].t_ns) / 1e9 if widest else 0.0,
        gap_lines=(widest[0].line, widest[1].line) if widest else (),
        checked=checks[-1][1].acknowledged if checks else None,
        missing=checks[-1][1].missing if checks else (),
        checked_line=checks[-1][0].line if checks else None,
    )


def _until_healing(case: cases.CaseHistory) -> list[history.RecordedEvent]:
    """Return the case's events without those that the fault's healing brought about."""
    healing = case.healing
    if healing is None:
        return list(case.events)
    return [event for event in case.events if event.t_ns <= healing.t_ns]


def _caused(case: cases.CaseHistory, since_ns: int) -> list[history.RecordedEvent]:
    return [event for event in _until_healing(case) if event.t_ns >= since_ns]


def _at(case: cases.CaseHistory, event: history.RecordedEvent, about: str) -> Interval:
    return Interval(seconds=case.seconds(event), reason=about, lines=(event.line,))


def _absent(reason: str, *, applicable: bool = True) -> Interval:
    return Interval(seconds=None, reason=reason, applicable=applicable)
