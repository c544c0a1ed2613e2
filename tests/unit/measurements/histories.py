"""Hand-made histories: events at seconds from the fault, as the probes would write them."""

import time
from pathlib import Path
from typing import Any

from measurements import cases, events, history, intervals, results
from measurements.windows import Window

_NOW_NS = time.time_ns()
ZERO_SOC = _NOW_NS // 1_000_000_000
ZERO_NS = time.monotonic_ns() - _NOW_NS % 1_000_000_000
"""The monotonic time of the wall clock's last whole second, ZERO_SOC."""
SERVERS = ("server-1", "server-2", "server-3")


def window(earliest_s: float, latest_s: float, why: str = "") -> Window:
    return Window(earliest_s=earliest_s, latest_s=latest_s, why=why)


def fault(name: str, target: str) -> dict[str, Any]:
    """Return what a fault says of itself: an isolation lasts and breaks its node."""
    isolates = name == "isolate"
    return {
        "fault": name,
        "target": target,
        "lasts": isolates,
        "breaks_node": target if isolates else None,
    }


class Story:
    """Writes a history whose second 0 is the moment the fault is in force."""

    def __init__(self, path: Path, case: str = "worker-isolated") -> None:
        self.path = path
        self.recorder = history.Recorder(path)
        self.recorder.case = case

    def at(self, second: float, body: events.Body) -> None:
        self.recorder.record(body, t_ns=ZERO_NS + round(second * 1e9))

    def begin(self, second: float = -10, **declared: Any) -> None:
        values = {"title": "A test", "app": "pdc-higher", "recovery": "replacement"} | declared
        self.at(second, events.CaseStart(**values))

    def fault(self, start: float = -0.2, stop: float | None = None, name: str = "isolate") -> None:
        told = fault(name, "worker-1")
        self.at(start, events.FaultStart(**told))
        self.at(0, events.FaultInForce(**told))
        if stop is not None:
            self.at(stop, events.FaultStop(**told))
            self.at(stop + 0.5, events.FaultHealed(**told))

    def end(self, second: float, outcome: Any = "passed", message: str = "") -> None:
        self.at(second, events.CaseEnd(outcome=outcome, message=message))

    def node(
        self, second: float, name: str = "worker-1", ready: str = "True", lag: float = 0.01
    ) -> None:
        """Every server tells it, each a little later than the one before."""
        reason = {"True": "KubeletReady", "Unknown": "NodeStatusUnknown"}.get(
            ready, "KubeletNotReady"
        )
        for number, via in enumerate(SERVERS):
            self.at(
                second + number * lag,
                events.NodeSeen(name=name, ready=ready, reason=reason, via=via),
            )

    def pod(self, second: float, uid: str, lag: float = 0.01, **state: Any) -> None:
        values: dict[str, Any] = {
            "name": f"pdc-higher-{uid}",
            "node": "worker-1",
            "app": "pdc-higher",
            "phase": "Running",
            "ready": True,
            "scheduled": True,
            "running": True,
            "restarts": 0,
            "deleting": False,
        } | state
        for number, via in enumerate(SERVERS):
            self.at(second + number * lag, events.PodSeen(uid=uid, via=via, **values))

    def gone(self, second: float, uid: str, name: str = "") -> None:
        for number, via in enumerate(SERVERS):
            self.at(
                second + number * 0.01,
                events.PodGone(name=name or f"pdc-higher-{uid}", uid=uid, via=via),
            )

    def configured(self, second: float, rate: float = 50) -> None:
        self.at(
            second, events.StreamConfigured(idcode=20, rate=rate, pmus=("pmu-1", "pmu-2", "pmu-3"))
        )

    def frame(self, second: float, stats: tuple[int, ...] = (0, 0, 0), late: float = 0.004) -> None:
        """One frame stamped with `second`, that arrives `late` seconds later."""
        stamp = ZERO_SOC + round(second * 50) / 50
        self.at(
            round(second * 50) / 50 + late,
            events.FrameArrived(
                soc=int(stamp // 1), fraction=round(stamp % 1, 6), idcode=20, stats=stats
            ),
        )

    def frames(self, begin: float, end: float, stats: tuple[int, ...] = (0, 0, 0)) -> None:
        """50 frames/s in [begin, end)."""
        for index in range(round(begin * 50), round(end * 50)):
            self.frame(index / 50, stats)

    def rows(self, begin: float, end: float, first_id: int = 1) -> int:
        """Ten rows a second in [begin, end); returns the next id."""
        for index in range(round(begin * 10), round(end * 10)):
            self.at(index / 10, events.RowAcknowledged(id=first_id))
            first_id += 1
        return first_id

    def replacement(
        self, second: float, uid: str = "new", node: str = "server-2", **times: float
    ) -> None:
        """Make a pod that is scheduled, started and Ready at these seconds."""
        stages = {"scheduled": second + 0.1, "running": second + 1, "ready": second + 2} | times
        self.pod(second, uid, node="", phase="Pending", ready=False, scheduled=False, running=False)
        self.pod(stages["scheduled"], uid, node=node, phase="Pending", ready=False, running=False)
        self.pod(stages["running"], uid, node=node, ready=False)
        self.pod(stages["ready"], uid, node=node)

    def cases(self) -> list[cases.CaseHistory]:
        return cases.split(history.read(self.path))

    def measure(self, number: int = 0) -> results.CaseResult:
        return intervals.measure(self.cases()[number])


def thesis_worker_isolated(story: Story) -> None:
    """Tell the whole course of an isolated worker under the thesis' timers, and its healing."""
    story.begin(
        -12,
        title="The worker that runs the second-level PDC is cut off",
        published="node_isolated",
        windows={
            "not_ready": window(29, 48, "grace 40 s, less a renewal"),
            "evicted": window(49, 71, "NotReady plus 20 s"),
            "scheduled": window(49, 74, "after the eviction"),
            "started": window(49, 104, "stage before"),
            "ready": window(49, 104, "stage before"),
            "streaming": window(49, 104, "stage before"),
        },
    )
    for name in ("worker-1", *SERVERS):
        story.node(-11.9, name)
    story.pod(-11.8, "old")
    story.at(-11.7, events.ConsumerConnected(address="172.18.0.5:30502"))
    story.configured(-11.6)
    story.frames(-11.5, 0.02)
    story.fault(stop=80)
    story.at(1.0, events.ConsumerDisconnected(address="172.18.0.5:30502", why="no frame for 1 s"))
    for tenth in range(15, 620, 10):
        story.at(tenth / 10, events.ConsumerRefused(address="172.18.0.2:30502", why="timed out"))
    story.node(37.2, ready="Unknown")
    story.pod(37.3, "old", ready=False)
    story.pod(57.4, "old", ready=False, deleting=True)
    story.replacement(57.5, scheduled=57.6, running=59.1, ready=62.2)
    story.at(62.4, events.ConsumerConnected(address="172.18.0.2:30502"))
    story.configured(62.5)
    story.frames(62.6, 90)
    story.node(82, ready="True")
    story.gone(84, "old")
    story.rows(-11.5, 90)
    story.at(89, events.SqlChecked(acknowledged=1015, present=1015, missing=()))
    story.end(90)
