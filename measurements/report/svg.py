"""The few shapes that the report's pictures are made of, as SVG text."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def number(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """Return one element; `stroke_width=2` becomes `stroke-width="2"`, `class_` `class`."""
    words = [name]
    for key, value in attributes.items():
        text = value if isinstance(value, str) else number(value)
        words.append(f"{key.rstrip('_').replace('_', '-')}={quoteattr(text)}")
    head = " ".join(words)
    return f"<{head}>{content}</{name}>" if content else f"<{head}/>"


def text(x: float, y: float, words: str, **attributes: str | float) -> str:
    """Return a line of text."""
    return element("text", escape(words), x=x, y=y, **attributes)


def rect(x: float, y: float, width: float, height: float, **attributes: str | float) -> str:
    """Return a rectangle; one that is narrower than a hair stays visible."""
    return element("rect", x=x, y=y, width=max(width, 0.8), height=height, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float) -> str:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def titled(shape: str, words: str) -> str:
    """Return `shape` in a group that shows `words` when pointed at."""
    return element("g", element("title", escape(words)) + shape)


def picture(
    name: str, width: float, height: float, shapes: Iterable[str], *, title: str, about: str
) -> str:
    """Return a whole picture; `name` must be unique on the page.

    `title` and `about` are what a screen reader says.
    """
    inside = (
        element("title", escape(title), id=f"{name}-title")
        + element("desc", escape(about), id=f"{name}-desc")
        + "".join(shapes)
    )
    return element(
        "svg",
        inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        font_family=FONT,
        font_size=12,
        fill="#1a1a1a",
    )
