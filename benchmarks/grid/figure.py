"""One measured figure, and the table of many."""

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that was measured, beside what it should be."""

    name: str
    """What was measured."""
    value: float
    """What came out."""
    unit: str
    """Of value, target and peer."""
    target: float | None = None
    """What it has to reach; None where there is no target."""
    at_most: bool = False
    """Whether the target is an upper limit, as for memory and latency."""
    peer: float | None = None
    """What the peer, pypmu, reaches on the same machine in the same minute; None: nothing."""
    limit: str = ""
    """What keeps the figure from being better."""

    @property
    def reached(self) -> bool:
        """Whether the target is reached; true where there is none."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as text: a line each, and a line with the limit below."""
    width = max(len(figure.name) for figure in figures)
    lines = [f"{'':{width}}  {'measured':>12} {'target':>12} {'pypmu':>12}"]
    for figure in figures:
        bound = "<=" if figure.at_most else ">="
        target = f"{bound} {_number(figure.target)}" if figure.target is not None else ""
        mark = "" if figure.reached else "  NOT REACHED"
        lines.append(
            f"{figure.name:{width}}  {_number(figure.value):>12} {target:>12} "
            f"{_number(figure.peer):>12} {figure.unit}{mark}"
        )
        if figure.limit:
            lines.append(f"{'':{width}}    limited by {figure.limit}")
    return "\n".join(lines)


def announce(what: str, seconds: float) -> None:
    """Say on standard error what is measured now, and for how long."""
    print(f"{time.strftime('%H:%M:%S')} {what}, for {seconds:g} s", file=sys.stderr, flush=True)


def machine() -> str:
    """Return what the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(Path("/proc/cpuinfo"))
            if line.startswith(("model name", "Model"))
        ),
        platform.machine(),
    )
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}{load}"
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
