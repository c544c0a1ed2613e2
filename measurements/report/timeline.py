"""The picture of a case: nodes, pods, frames and rows over time, the fault window shaded."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from measurements import cases, events, results, statistics, stream
from measurements.report import bands, svg, words

_FILLS = {"good": "#a8d8c4", "waiting": "#f3cf7a", "bad": "#d55e00", "leaving": "#c4c4c4"}
_FRAMES, _PARTIAL, _ROWS = "#0b5c8f", "#9cc7e3", "#5b4a8a"
_FAULT = "#d55e00"
_FRAME_BIN_S, _ROW_BIN_S = 0.2, 0.5
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)
_CHAR_PX = 6.3
_MARK_PX = 19


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The size of a picture and where time lies on it."""

    width: float
    """Pixels in all."""
    left: float
    """Pixels before the time axis: where row labels stand; 0 puts them above their rows."""
    begin_s: float
    """First second shown."""
    end_s: float
    """Last second shown."""

    def x(self, second: float) -> float:
        """Return where `second` lies; what lies outside is put on the edge."""
        inside = min(max(second, self.begin_s), self.end_s)
        share = (inside - self.begin_s) / (self.end_s - self.begin_s)
        return self.left + share * (self.width - self.left - 12)


def draw(case: cases.Case, measured: results.CaseResult, *, name: str, narrow: bool) -> str:
    """Return the picture as SVG; `narrow` draws it for a phone. `name` is its id."""
    begin_s, end_s = _view(case, measured)
    sheet = Sheet(
        width=360 if narrow else 960, left=0 if narrow else 200, begin_s=begin_s, end_s=end_s
    )
    marks, top = _marks(measured, sheet)
    shapes: list[str] = []
    y = top
    for row in bands.rows(case):
        drawn, y = _row(row, sheet, y)
        shapes += drawn
    for chart in (_frames_chart, _rows_chart):
        drawn, y = chart(case, measured, sheet, y)
        shapes += drawn
    behind = _fault_window(measured, sheet, top, y)
    axis, bottom = _axis(sheet, y, ticks=5 if narrow else 11)
    leaders = [
        svg.line(x, level + 9, x, y, stroke="#1a1a1a", stroke_dasharray="2 3", stroke_width=0.9)
        for x, level, _ in marks
    ]
    return svg.picture(
        name,
        sheet.width,
        bottom,
        [_hatch(name), *behind, *axis, *shapes, *leaders, *(_mark(mark) for mark in marks)],
        title=f"Timeline of {case.name}",
        about=words.summary(measured),
    ).replace("url(#hatch)", f"url(#{name}-hatch)")


def _view(case: cases.Case, measured: results.CaseResult) -> tuple[float, float]:
    """Return the first and last second to show: the recovery with some calm around it."""
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


def _row(row: bands.Row, sheet: Sheet, y: float) -> tuple[list[str], float]:
    shapes, y = _label(row.label, row.detail, sheet, y, height=22)
    for band in row.bands:
        x, until = sheet.x(band.begin_s), sheet.x(band.end_s)
        if band.end_s <= sheet.begin_s or band.begin_s >= sheet.end_s:
            continue
        shape = svg.rect(x, y, until - x, 22, fill=_FILLS[band.look])
        if band.look in {"bad", "leaving"}:
            shape += svg.rect(x, y, until - x, 22, fill="url(#hatch)")
        if len(band.words) * _CHAR_PX + 10 < until - x:
            # On the dark, hatched band the words get a plate to stand on.
            if band.look in {"bad", "leaving"}:
                plate = len(band.words) * _CHAR_PX + 8
                shape += svg.rect(x + 3, y + 3, plate, 16, fill="#fff", opacity=0.92, rx=2)
            shape += svg.text(x + 7, y + 15, band.words, font_size=11.5)
        about = f"{row.label}: {band.words}, {band.begin_s:.2f} s to {band.end_s:.2f} s"
        shapes.append(svg.titled(shape, about))
    return shapes, y + 30


def _frames_chart(
    case: cases.Case, measured: results.CaseResult, sheet: Sheet, y: float
) -> tuple[list[str], float]:
    came = stream.arrivals(case)
    if not came or measured.frames is None:
        shapes, y = _label("consumer", "no frame came", sheet, y, height=22)
        return shapes, y + 30
    every = [case.seconds(event) for event, _ in came]
    whole = [case.seconds(event) for event, frame in came if stream.is_complete(frame)]
    layers = (
        [(every, _PARTIAL), (whole, _FRAMES)] if len(whole) < len(every) else [(every, _FRAMES)]
    )
    detail = "frames per second"
    return _chart("consumer", detail, layers, measured.frames.rate, _FRAME_BIN_S, sheet, y)


def _rows_chart(
    case: cases.Case, measured: results.CaseResult, sheet: Sheet, y: float
) -> tuple[list[str], float]:
    if measured.sql is None:
        return [], y
    times = [case.seconds(e) for e, _ in cases.of_kind(case.events, events.RowAcknowledged)]
    layers = [(times, _ROWS)]
    return _chart("database", "rows acknowledged per second", layers, 10, _ROW_BIN_S, sheet, y)


def _chart(
    label: str,
    detail: str,
    layers: Sequence[tuple[Sequence[float], str]],
    nominal: float,
    bin_s: float,
    sheet: Sheet,
    y: float,
) -> tuple[list[str], float]:
    """Return a chart of rates; each layer is a list of seconds and its colour."""
    height = 58.0
    shapes, y = _label(label, detail, sheet, y, height=height)
    base, scale = y + height, height / (nominal * 1.2)
    right = sheet.x(sheet.end_s)
    level = base - nominal * scale
    shapes.append(svg.line(sheet.left, base, right, base, stroke="#767676"))
    shapes.append(svg.line(sheet.left, level, right, level, stroke="#bdbdbd"))
    for times, colour in layers:
        found = statistics.rates(times, start=sheet.begin_s, end=sheet.end_s, bin_s=bin_s)
        path = [f"M{svg.number(sheet.left)} {svg.number(base)}"]
        for index, rate in enumerate(found):
            top = base - min(rate, nominal * 1.2) * scale
            path.append(
                f"V{svg.number(top)}H{svg.number(sheet.x(sheet.begin_s + (index + 1) * bin_s))}"
            )
        path.append(f"V{svg.number(base)}Z")
        shapes.append(svg.element("path", d="".join(path), fill=colour))
    plate = f"{nominal:g}/s"
    shapes.append(
        svg.rect(
            right - 7 * len(plate) - 4, level - 13, 7 * len(plate) + 4, 12, fill="#fff", opacity=0.8
        )
        + svg.text(right - 3, level - 3, plate, text_anchor="end", font_size=10.5, fill="#444")
    )
    return shapes, base + 12


def _label(
    label: str, detail: str, sheet: Sheet, y: float, *, height: float
) -> tuple[list[str], float]:
    """Return a row's label, beside the row or above it, and where the row then begins."""
    if not sheet.left:
        line = f"{label}, {detail}" if detail else label
        return [svg.text(0, y + 11, line, font_size=11.5)], y + 16
    middle = y + height / 2
    room = int((sheet.left - 14) / _CHAR_PX)
    shown = label if len(label) <= room else label[: room - 1] + "\u2026"
    shapes = [
        svg.text(sheet.left - 10, middle - (2 if detail else -4), shown, text_anchor="end"),
        svg.text(
            sheet.left - 10, middle + 11, detail, text_anchor="end", font_size=10.5, fill="#555"
        ),
    ]
    return shapes if detail else shapes[:1], y


def _fault_window(
    measured: results.CaseResult, sheet: Sheet, top: float, bottom: float
) -> list[str]:
    if measured.in_force_line is None:
        return []
    begin = sheet.x(0)
    shapes = [svg.line(begin, top - 8, begin, bottom, stroke=_FAULT, stroke_width=2)]
    if measured.node:
        end = sheet.x(sheet.end_s if measured.stopped_s is None else measured.stopped_s)
        shapes.insert(
            0, svg.rect(begin, top - 8, end - begin, bottom - top + 8, fill=_FAULT, opacity=0.09)
        )
    return shapes


def _axis(sheet: Sheet, y: float, *, ticks: int) -> tuple[list[str], float]:
    span = sheet.end_s - sheet.begin_s
    step = next((s for s in _STEPS_S if span / s <= ticks), _STEPS_S[-1])
    shapes = []
    for number in range(math.ceil(sheet.begin_s / step), math.floor(sheet.end_s / step) + 1):
        second = number * step
        x = sheet.x(second)
        shapes.append(svg.line(x, y, x, y + 5, stroke="#444"))
        anchor = "start" if x < 12 else "end" if x > sheet.width - 14 else "middle"
        shapes.append(svg.text(x, y + 18, f"{second:g}", text_anchor=anchor, font_size=11))
    right = sheet.x(sheet.end_s)
    shapes.append(svg.line(sheet.left, y, right, y, stroke="#444"))
    caption = "seconds after the fault took effect"
    shapes.append(
        svg.text((sheet.left + right) / 2, y + 36, caption, text_anchor="middle", font_size=11.5)
    )
    return shapes, y + 44


Mark = tuple[float, float, int]


def _marks(measured: results.CaseResult, sheet: Sheet) -> tuple[list[Mark], float]:
    """Return (x, y, number) of each stage's mark, none upon another, and where rows begin."""
    reached = sorted(
        (interval.seconds, number)
        for number, stage in enumerate(results.STAGES, start=1)
        if (interval := measured.intervals[stage]).seconds is not None
    )
    ends: list[float] = []
    placed: list[tuple[float, int, int]] = []
    for second, number in reached:
        x = min(max(sheet.x(second), 9), sheet.width - 9)
        level = next((i for i, end in enumerate(ends) if end + _MARK_PX <= x), len(ends))
        if level == len(ends):
            ends.append(x)
        ends[level] = x
        placed.append((x, level, number))
    top = float(len(ends) * _MARK_PX)
    marks = [(x, top - level * _MARK_PX - 9, number) for x, level, number in placed]
    return marks, top + 14.0


def _mark(mark: Mark) -> str:
    x, y, number = mark
    return svg.element("circle", cx=x, cy=y, r=8.5, fill="#1a1a1a") + svg.text(
        x, y + 4, str(number), text_anchor="middle", font_size=11, fill="#fff", font_weight="600"
    )


def _hatch(name: str) -> str:
    stripe = svg.element("path", d="M0 6L6 0", stroke="#fff", stroke_width=1.4, opacity=0.75)
    pattern = svg.element(
        "pattern", stripe, id=f"{name}-hatch", width=6, height=6, patternUnits="userSpaceOnUse"
    )
    return svg.element("defs", pattern)
