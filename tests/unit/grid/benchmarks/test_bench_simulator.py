"""The simulator's benchmark, in small."""

import pytest

from benchmarks.grid import receiving, simulator
from service.latency import Latencies


def test_it_counts_what_a_simulator_sends(monkeypatch):
    monkeypatch.setattr(receiving, "_WARM_UP_S", 0.5)
    result = simulator.measure(2.0, pmus=3, rate=50)
    received = result.received
    assert received.frames / received.seconds == pytest.approx(150, rel=0.2)
    assert received.late.count == received.frames
    assert 0 < result.cpu_share < 1
    assert result.memory_bytes > 1e6


def test_frames_that_are_missing_are_counted_as_lost():
    watch = receiving._Watch(50)
    watch.on = True
    for soc, count in ((10, 940_000), (10, 960_000), (11, 0), (11, 20_000), (11, 100_000)):
        watch.saw(1, soc, count, 11.2)
    watch.saw(2, 10, 0, 11.2)
    assert watch.lost == 1 + 3
    assert watch.frames == watch.late.count == 6
    assert isinstance(watch.late, Latencies)
