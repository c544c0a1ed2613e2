"""The picture of a case: nodes, pods, frames and rows over time, the time of the fault shaded."""

import math
from collections.abc import Sequence

from measurements import cases, events, results
from measurements.report import bands, svg, words
from measurements.report.sheet import CHAR_PX, Sheet
from measurements.statistics import descriptive, frames

_FILLS = {"good": "#a8d8c4", "waiting": "#f3cf7a", "bad": "#d55e00", "leaving": "#c4c4c4"}
_HATCHED = frozenset({"bad", "leaving"})
_FRAMES, _PARTIAL, _ROWS = "#0b5c8f", "#9cc7e3", "#5b4a8a"
_FAULT = "#d55e00"
_ROW_BIN_S = 0.5
_CLOSE_S = 20.0
"""A picture of less time than this is close enough, and its frames are drawn finer."""
_ROWS_PER_S = 10.0
_MARK_PX = 19

Span = tuple[float, float]
"""First and last second, from fault in force."""


def draw(
    case: cases.CaseHistory, measured: results.CaseResult, span: Span, *, name: str, narrow: bool
) -> str:
    """Return `span` of the case as SVG; `narrow` draws it for a phone.

    `name` becomes the picture's id, and must be unique on the page.
    """
    sheet = Sheet(
        width=360 if narrow else 960,
        left=0 if narrow else 200,
        begin_s=span[0],
        end_s=span[1],
        y=0,
    )
    marks = _place_marks(measured, sheet)
    top = sheet.y
    for row in bands.rows(case):
        _row(sheet, row, hatch=f"url(#{name}-hatch)")
    _frames_chart(sheet, case)
    _rows_chart(sheet, case, measured)
    _fault_window(sheet, measured, top)
    for x, y, number in marks:
        _mark(sheet, x, y, number)
    sheet.axis("seconds after the fault took effect", ticks=5 if narrow else 11)
    return svg.picture(
        name,
        sheet.width,
        sheet.y,
        [_hatch(name), *sheet.behind, *sheet.body, *sheet.front],
        title=f"Timeline of {case.name}, {span[0]:.1f} s to {span[1]:.1f} s",
        about=words.summary(measured),
    )


def whole_span(case: cases.CaseHistory, measured: results.CaseResult) -> Span:
    """Return the recovery with some calm around it; all of a case that did not recover."""
    first = case.seconds(case.start)
    zero_ns = (case.in_force or case.start).t_ns
    last = max((case.until_ns - zero_ns) / 1e9, first + 1)
    reached = [i.seconds for i in measured.intervals.values() if i.seconds is not None]
    reached += [flap.seconds for flap in measured.false_not_ready]
    recovered = all(
        measured.intervals[stage].seconds is not None or not measured.intervals[stage].applicable
        for stage in ("ready", "streaming")
    )
    end = min(last, max(reached) * 1.12 + 3) if reached and recovered else last
    return max(first, -max(2.0, 0.08 * end)), end


def close_up(measured: results.CaseResult, whole: Span) -> Span | None:
    """Return the stretch in which the stages crowd, if the whole picture squeezes them."""
    late = sorted(
        seconds
        for stage, interval in measured.intervals.items()
        if stage != "not_ready" and (seconds := interval.seconds) is not None
    )
    span = whole[1] - whole[0]
    if span < _CLOSE_S or len(late) < 3 or late[-1] - late[0] > span / 5:
        return None
    around = max(0.5, 0.12 * (late[-1] - late[0]))
    return late[0] - around, late[-1] + around


def _row(sheet: Sheet, row: bands.TimelineRow, *, hatch: str) -> None:
    sheet.label(row.label, row.detail, height=22)
    y = sheet.y
    for band in row.bands:
        if not sheet.shows(band.begin_s, band.end_s):
            continue
        x, width = sheet.x(band.begin_s), sheet.x(band.end_s) - sheet.x(band.begin_s)
        shape = svg.rect(x, y, width, 22, fill=_FILLS[band.look])
        if band.look in _HATCHED:
            shape += svg.rect(x, y, width, 22, fill=hatch)
        about = f"{row.label}: {band.words}, {band.begin_s:.2f} s to {band.end_s:.2f} s"
        sheet.body.append(svg.titled(shape, about))
        text_px = len(band.words) * CHAR_PX
        if text_px + 12 < width:
            # On a hatched band the words get a plate to stand on.
            if band.look in _HATCHED:
                plate = svg.rect(x + 3, y + 3, text_px + 8, 16, fill="#fff", opacity=0.92, rx=2)
                sheet.front.append(plate)
            sheet.front.append(svg.text(x + 7, y + 15, band.words, font_size=11.5))
    sheet.y += 30


def _frames_chart(sheet: Sheet, case: cases.CaseHistory) -> None:
    record = frames.of(case)
    if record is None:
        sheet.label("consumer", "no frame came", height=22)
        sheet.y += 30
        return
    every, whole = (
        [case.seconds(event) for event in record.series(complete=complete).times]
        for complete in (False, True)
    )
    layers = [(whole, _FRAMES)]
    if len(whole) < len(every):
        layers.insert(0, (every, _PARTIAL))
    sheet.label("consumer", "frames per second", height=58)
    _chart(
        sheet,
        layers,
        nominal=record.rate,
        bin_s=0.1 if sheet.end_s - sheet.begin_s < _CLOSE_S else 0.2,
    )


def _rows_chart(sheet: Sheet, case: cases.CaseHistory, measured: results.CaseResult) -> None:
    if measured.sql is None:
        return
    rows = [case.seconds(e) for e, _ in cases.of_kind(case.events, events.RowAcknowledged)]
    sheet.label("database", "rows acknowledged per second", height=58)
    _chart(sheet, [(rows, _ROWS)], nominal=_ROWS_PER_S, bin_s=_ROW_BIN_S)


def _chart(
    sheet: Sheet, layers: Sequence[tuple[Sequence[float], str]], *, nominal: float, bin_s: float
) -> None:
    """Draw rates as steps; each layer is a list of seconds and its colour."""
    height = 58.0
    base, scale = sheet.y + height, height / (nominal * 1.2)
    level = base - nominal * scale
    sheet.body.append(svg.line(sheet.left, base, sheet.right, base, stroke="#767676"))
    sheet.body.append(svg.line(sheet.left, level, sheet.right, level, stroke="#bdbdbd"))
    for times, colour in layers:
        # Whole bins only: the last one may end beyond the sheet, which cuts it off.
        bins = math.ceil((sheet.end_s - sheet.begin_s) / bin_s)
        found = descriptive.rates(times, start=sheet.begin_s, bin_s=bin_s, bins=bins)
        path = [f"M{svg.number(sheet.left)} {svg.number(base)}"]
        for index, rate in enumerate(found, start=1):
            top = svg.number(base - min(rate, nominal * 1.2) * scale)
            path.append(f"V{top}H{svg.number(sheet.x(sheet.begin_s + index * bin_s))}")
        path.append(f"V{svg.number(base)}Z")
        sheet.body.append(svg.element("path", d="".join(path), fill=colour))
    scale_words = f"{nominal:g}/s"
    x, y = (sheet.left - 5, level + 3.5) if sheet.left else (sheet.right, sheet.y - 4)
    sheet.front.append(svg.text(x, y, scale_words, text_anchor="end", font_size=10, fill="#444"))
    sheet.y = base + 12


def _fault_window(sheet: Sheet, measured: results.CaseResult, top: float) -> None:
    """Shade the time in which the fault was in force; one that only strikes is a line."""
    if measured.in_force_line is None:
        return
    stop = sheet.end_s if measured.stopped_s is None else measured.stopped_s
    y, height = top - 8, sheet.y - top + 8
    if measured.lasts and sheet.shows(0, stop):
        begin, end = sheet.x(0), sheet.x(stop)
        sheet.behind.append(svg.rect(begin, y, end - begin, height, fill=_FAULT, opacity=0.09))
    for second in (0.0, stop) if measured.lasts else (0.0,):
        if sheet.begin_s <= second < sheet.end_s:
            x = sheet.x(second)
            sheet.behind.append(svg.line(x, y, x, y + height, stroke=_FAULT, stroke_width=2))


def _place_marks(measured: results.CaseResult, sheet: Sheet) -> list[tuple[float, float, int]]:
    """Return (x, y, number) of each stage's mark, none upon another, and go to the rows."""
    reached = sorted(
        (seconds, number)
        for number, stage in enumerate(results.STAGES, start=1)
        if (seconds := measured.intervals[stage].seconds) is not None
        and sheet.begin_s <= seconds <= sheet.end_s
    )
    ends: list[float] = []
    placed: list[tuple[float, int, int]] = []
    for second, number in reached:
        x = min(max(sheet.x(second), 9), sheet.width - 9)
        level = next((i for i, end in enumerate(ends) if end + _MARK_PX <= x), len(ends))
        ends[level : level + 1] = [x]
        placed.append((x, level, number))
    top = float(len(ends) * _MARK_PX)
    sheet.y = top + 14
    return [(x, top - level * _MARK_PX - 9, number) for x, level, number in placed]


def _mark(sheet: Sheet, x: float, y: float, number: int) -> None:
    leader = svg.line(
        x, y + 9, x, sheet.y, stroke="#1a1a1a", stroke_dasharray="2 3", stroke_width=0.9
    )
    sheet.body.append(leader)
    sheet.front.append(
        svg.element("circle", cx=x, cy=y, r=8.5, fill="#1a1a1a")
        + svg.text(
            x,
            y + 4,
            str(number),
            text_anchor="middle",
            font_size=11,
            fill="#fff",
            font_weight="600",
        )
    )


def _hatch(name: str) -> str:
    stripe = svg.element("path", d="M0 6L6 0", stroke="#fff", stroke_width=1.4, opacity=0.75)
    pattern = svg.element(
        "pattern", stripe, id=f"{name}-hatch", width=6, height=6, patternUnits="userSpaceOnUse"
    )
    return svg.element("defs", pattern)
