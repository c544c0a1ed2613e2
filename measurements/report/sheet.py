"""The canvas of a timeline: its time axis, its labels, and its three layers."""

import math
from dataclasses import dataclass, field

from measurements.report import svg

CHAR_PX = 6.3
"""About the width of a character of a picture's text."""
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)
_HALO: dict[str, str | float] = {
    "paint_order": "stroke",
    "stroke": "#fff",
    "stroke_width": 3.5,
    "stroke_linejoin": "round",
}


@dataclass(kw_only=True)
class Sheet:
    """A picture while it is being drawn, from the top down."""

    width: float
    """Pixels in all."""
    left: float
    """Pixels before the time axis, where labels stand; 0 puts them above their rows."""
    begin_s: float
    """First second shown."""
    end_s: float
    """Last second shown."""
    y: float
    """Where the next row begins."""
    behind: list[str] = field(default_factory=list)
    """Shapes at the back."""
    body: list[str] = field(default_factory=list)
    """Shapes in the middle."""
    front: list[str] = field(default_factory=list)
    """Shapes at the front: words and marks."""

    @property
    def right(self) -> float:
        """Where the time axis ends."""
        return self.width - 12

    def x(self, second: float) -> float:
        """Return where `second` lies; what lies outside is put on the edge."""
        inside = min(max(second, self.begin_s), self.end_s)
        share = (inside - self.begin_s) / (self.end_s - self.begin_s)
        return self.left + share * (self.right - self.left)

    def shows(self, begin_s: float, end_s: float) -> bool:
        """Return whether any of a stretch of time lies on the sheet."""
        return end_s > self.begin_s and begin_s < self.end_s

    def label(self, name: str, detail: str, *, height: float) -> None:
        """Write a row's label, beside the row or above it, and go to where the row begins."""
        if not self.left:
            words = f"{name}, {detail}" if detail else name
            self.front.append(svg.text(0, self.y + 11, words, font_size=11.5, **_HALO))
            self.y += 16
            return
        middle = self.y + height / 2
        room = int((self.left - 14) / CHAR_PX)
        shown = name if len(name) <= room else name[: room - 1] + "\u2026"
        x = self.left - 10
        self.front.append(svg.text(x, middle - (2 if detail else -4), shown, text_anchor="end"))
        if detail:
            self.front.append(
                svg.text(x, middle + 11, detail, text_anchor="end", font_size=10.5, fill="#555")
            )

    def axis(self, caption: str, *, ticks: int) -> None:
        """Draw the time axis with `ticks` numbers at most."""
        span = self.end_s - self.begin_s
        step = next((s for s in _STEPS_S if span / s <= ticks), _STEPS_S[-1])
        y = self.y
        for number in range(math.ceil(self.begin_s / step), math.floor(self.end_s / step) + 1):
            x = self.x(number * step)
            words = f"{number * step:g}".replace("-", "\u2212")
            anchor = "start" if x < 12 else "end" if x > self.width - 14 else "middle"
            self.front.append(svg.line(x, y, x, y + 5, stroke="#444"))
            self.front.append(svg.text(x, y + 18, words, text_anchor=anchor, font_size=11))
        self.front.append(svg.line(self.left, y, self.right, y, stroke="#444"))
        middle = (self.left + self.right) / 2
        self.front.append(svg.text(middle, y + 36, caption, text_anchor="middle", font_size=11.5))
        self.y += 44
