"""The report's sentences and its way to write numbers."""

from measurements import published, results

_AT_ONCE_S = 0.1
_BUSY = 2.0


def seconds(value: float | None) -> str:
    """Return a duration: two digits after the point below 10 s, one above."""
    if value is None:
        return "\u2013"
    text = f"{value:.2f} s" if abs(value) < 9.995 else f"{value:.1f} s"
    return text.replace("-", "\u2212")


def count(value: int, one: str, many: str = "") -> str:
    """Return `value` with its noun, thousands apart: `3 129 frames`."""
    noun = one if value == 1 else many or f"{one}s"
    return f"{grouped(value)} {noun}"


def grouped(value: int) -> str:
    """Return a whole number with its thousands apart by a narrow space."""
    return f"{value:,}".replace(",", "\u202f")


def difference(value: float | None, reference: float | None) -> str:
    """Return how far `value` lies from `reference`, with its sign."""
    if value is None or reference is None:
        return "\u2013"
    return f"{value - reference:+.1f} s".replace("-", "\u2212")


def thesis(value: published.Published | None) -> str:
    """Return what the thesis says, in a table's cell."""
    if value is None:
        return "\u2013"
    if value.seconds is None:
        return "no number printed"
    tilde = "" if value.kind == "by design" else "about "
    return f"{tilde}{value.seconds:g} s"


def summary(case: results.CaseResult) -> str:
    """Return what the picture of a case shows, in one to three sentences."""
    if case.in_force_line is None:
        return "The fault never came into force; nothing was broken."
    said = [_course(case), _stream(case)]
    if case.sql is not None:
        said.append(_rows(case.sql))
    if case.false_not_ready:
        names = ", ".join(flap.node for flap in case.false_not_ready)
        said.append(f"Not touched by the fault, and yet not Ready for a while: {names}.")
    return " ".join(sentence for sentence in said if sentence)


def _course(case: results.CaseResult) -> str:
    again = "the pod was" if case.recovery == "restart" else "its replacement was"
    clauses = {
        "not_ready": f"the node {case.breaks_node} left Ready",
        "evicted": "the old pod was given up",
        "ready": f"{again} Ready",
    }
    told = [
        f"{clause} at once" if value < _AT_ONCE_S else f"{clause} after {seconds(value)}"
        for stage, clause in clauses.items()
        if (value := case.intervals[stage].seconds) is not None
    ]
    if case.intervals["ready"].seconds is None and case.intervals["ready"].applicable:
        told.append(f"no pod of {case.app} became Ready again ({case.intervals['ready'].reason})")
    text = listed(told)
    return text[:1].upper() + text[1:] + "." if text else ""


def _stream(case: results.CaseResult) -> str:
    frames, streaming = case.frames, case.intervals["streaming"]
    if frames is None:
        return "No frame reached the consumer during the case."
    lost = count(frames.lost, "frame")
    if streaming.seconds is not None:
        return (
            f"The consumer was without frames for {seconds(frames.gap_s)} and had them again "
            f"{seconds(streaming.seconds)} after the fault; {lost} of "
            f"{grouped(frames.expected)} were lost."
        )
    if not streaming.applicable:
        if frames.lost:
            return (
                f"The stream was never interrupted; {lost} of {grouped(frames.expected)} were lost."
            )
        if frames.late:
            return (
                "The stream was never interrupted and no frame was lost; "
                f"{grouped(frames.late)} of {grouped(frames.expected)} came late."
            )
        return "The stream was never interrupted and no frame was lost."
    return f"The consumer's frames did not come back: {streaming.reason}."


def load(per_core: float) -> str:
    """Return what a load average says about the figures."""
    text = f"{per_core:.1f} processes wanted each core of the machine (load average)"
    if per_core <= _BUSY:
        return f"{text}."
    return f"{text}: it was busy, and whatever needs its processor came late."


def _rows(sql: results.RowCounts) -> str:
    rows = count(sql.acknowledged, "row")
    if sql.checked is None:
        return f"The database acknowledged {rows}; they were not read back."
    if sql.missing:
        return f"Of {grouped(sql.checked)} acknowledged rows {grouped(len(sql.missing))} were gone."
    return (
        f"The database acknowledged {rows}, with a longest pause of "
        f"{seconds(sql.longest_gap_s)}, and every acknowledged row was still there."
    )


def listed(parts: list[str]) -> str:
    """Return `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]
