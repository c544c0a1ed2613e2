"""The waits of `lab up` that end early, as what they wait for can't come any more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.cluster import stuck
from lab.cluster.frames import FrameRate
from lab.console.errors import LabError
from lab.console.progress import Silent, wait
from lab.host.command import Result
from lab.nodes.node import Node, Ssh

LINE = "pmu-1-x can't start: ErrImagePull: no such host"


@dataclass(frozen=True, kw_only=True)
class Judge(Node):
    """A server that says which pods can't start."""

    says: str = ""
    code: int = 0
    asked: list[str] = field(default_factory=list)

    def run(
        self, argv: Sequence[str], *, stdin: str = "", timeout_s: float = 60, check: bool = True
    ) -> Result:
        self.asked.append(argv[0])
        if argv[0] == "python3":
            assert "def hopeless(" in stdin
            return Result(argv=tuple(argv), returncode=self.code, stdout=self.says, stderr="")
        return Result(argv=tuple(argv), returncode=0, stdout="the pods", stderr="")


def server(**fields) -> Judge:
    ssh = Ssh(key=Path("none"), known_hosts=Path("none"))
    return Judge(name="s", cluster="x", role="server", address="10.9.8.7", ssh=ssh, **fields)


@pytest.fixture
def silent(monkeypatch):
    """Let no frames come, and the waits be short."""
    rate = FrameRate(name="pdc-lower", frames_per_s=0.0, address="", problem="refused")
    monkeypatch.setattr(stuck, "frame_rates", lambda nodes: (rate,))
    monkeypatch.setattr(stuck, "LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(stuck, "PATIENCE_S", 0.2)


def wait_for_frames(*servers: Judge, limit_s: float) -> None:
    cluster = SimpleNamespace(nodes=servers, servers=servers)
    with Silent().step("frames") as step:
        wait("frames", stuck.frames_missing(cluster), limit_s=limit_s, step=step, interval_s=0.05)


@pytest.mark.usefixtures("silent")
def test_a_pod_that_cannot_start_ends_the_wait_for_frames():
    with pytest.raises(LabError, match="No frames will come: pmu-1-x can't start") as caught:
        wait_for_frames(server(code=1), server(says=f"{LINE}\n"), limit_s=60)
    assert caught.value.evidence.startswith("the pods")


@pytest.mark.usefixtures("silent")
def test_where_every_pod_may_start_the_wait_has_its_limit():
    with pytest.raises(LabError, match="still missing: pdc-lower: refused"):
        wait_for_frames(server(), limit_s=0.5)


def test_frames_that_flow_ask_nobody(monkeypatch):
    monkeypatch.setattr(stuck, "frame_rates", lambda nodes: ())
    judge = server(says=LINE)
    wait_for_frames(judge, limit_s=1)
    assert judge.asked == []


def test_a_node_that_ended_while_booting_ends_the_wait():
    nodes = [server()]
    alive = SimpleNamespace(list_nodes=lambda: SimpleNamespace(running={"s"}))
    assert stuck.unless_ended("s: starting", alive, nodes) == "s: starting"
    dead = SimpleNamespace(
        list_nodes=lambda: SimpleNamespace(running=frozenset()), journal=lambda: "Failed to mount"
    )
    assert stuck.unless_ended(None, dead, nodes) is None
    with pytest.raises(LabError, match="s ended while booting") as caught:
        stuck.unless_ended("s: no answer", dead, nodes)
    assert caught.value.evidence == "Failed to mount"
