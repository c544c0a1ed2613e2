"""CPU and memory of the node containers, from the cgroup accounting that the engine reads.

/proc inside a container node shows the whole machine, so its own tools can't tell.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.providers.container import engine, labels

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class NodeUsage:
    """What a node used over a span of time."""

    name: str
    """Host name."""
    role: str
    """Server or worker."""
    cpu_percent: float
    """Mean CPU, in percent of ONE core (the thesis gives percent of four)."""
    memory_mib: float
    """Memory at the end, in MiB, without page cache that can be dropped."""


def measure(lab: str, span_s: float) -> list[NodeUsage]:
    """Watch the nodes of the lab called `lab` for `span_s` seconds."""
    containers = engine.connect().containers.list(filters=labels.of_lab(lab))
    before: dict[str | None, Any] = {c.name: c.stats(stream=False) for c in containers}
    time.sleep(span_s)
    return sorted(_usages(containers, before), key=lambda usage: usage.name)


def _usages(containers: list[Any], before: dict[str | None, Any]) -> Iterator[NodeUsage]:
    for container in containers:
        then, now = before[container.name], container.stats(stream=False)
        cpu_ns = now["cpu_stats"]["cpu_usage"]["total_usage"]
        cpu_ns -= then["cpu_stats"]["cpu_usage"]["total_usage"]
        span_ns = _read_ns(now) - _read_ns(then)
        memory = now["memory_stats"]
        dropped = memory["stats"].get(
            "total_inactive_file", memory["stats"].get("inactive_file", 0)
        )
        yield NodeUsage(
            name=container.labels[labels.HOST],
            role=container.labels[labels.ROLE],
            cpu_percent=round(100 * cpu_ns / span_ns, 1),
            memory_mib=round((memory["usage"] - dropped) / MIB, 1),
        )


def _read_ns(stats: dict[str, Any]) -> int:
    """Return the engine's own time of the sample, in ns (exact to 1 us)."""
    return round(datetime.fromisoformat(stats["read"]).timestamp() * 1e9)
