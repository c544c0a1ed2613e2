"""The consumer against real PMU simulators, of which some die and some hang."""

import contextlib
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import fault

from measurements import events, history, intervals
from measurements.probes.addresses import Rotation
from measurements.probes.consumer import Consumer
from measurements.run import Run
from tests.ports import free_port

IDCODE = 7


def declared(title: str) -> events.CaseStart:
    return events.CaseStart(title=title, app="pmu", recovery="restart")


@contextlib.contextmanager
def pmu(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve a stream of 50 frames/s on `port` in a process of its own."""
    argv = [sys.executable, "-m", "grid.pmu", "serve", "--listen", "127.0.0.1"]
    argv += ["--idcode", str(IDCODE), "--name", "pmu-7", "--rate", "50", "--port", str(port)]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[history.Recorder]:
    with history.Recorder(tmp_path / "history.jsonl") as opened:
        yield opened


def bodies(recorder: history.Recorder, kind: type[events.Body]) -> list[history.RecordedEvent]:
    return [event for event in history.read(recorder.path) if isinstance(event.body, kind)]


def test_frames_are_recorded_with_stamp_and_configuration(recorder: history.Recorder) -> None:
    port = free_port()
    with pmu(port), Consumer(recorder, [("127.0.0.1", port)], idcode=IDCODE) as consumer:
        consumer.wait_for_frames(75, limit_s=20)
        assert consumer.rate == pytest.approx(50, abs=5)
    assert [event.body for event in bodies(recorder, events.StreamConfigured)] == [
        events.StreamConfigured(idcode=IDCODE, rate=50.0, pmus=("pmu-7",))
    ]
    frames = [event.body for event in bodies(recorder, events.FrameArrived)]
    stamps = [f.soc + f.fraction for f in frames if isinstance(f, events.FrameArrived)]
    steps = [b - a for a, b in itertools.pairwise(stamps)]
    assert steps == pytest.approx([0.02] * len(steps), abs=1e-6)
    assert abs(stamps[-1] - time.time()) < 5


def test_a_stream_that_hangs_is_left_within_a_second_and_a_half(tmp_path: Path) -> None:
    """SIGSTOP: the kernel still accepts connections for it, and nothing answers."""
    first, second = free_port(), free_port()
    run = Run.create(tmp_path, "consumer", lab={}, profile={}, versions={})
    addresses = [("127.0.0.1", first), ("127.0.0.1", second)]
    with pmu(first) as hanging, Consumer(run.history, addresses, idcode=IDCODE) as consumer:
        consumer.wait_for_frames(25, limit_s=20)
        with pmu(second):
            case = run.begin_case("hang", declared("A stream hangs"))
            consumer.wait_for_frames(100, limit_s=20)
            run.history.record(events.FaultStart(**fault("stop", "first")))
            hanging.send_signal(signal.SIGSTOP)
            run.history.record(events.FaultInForce(**fault("stop", "first")))
            measured = case.wait_for("streaming", limit_s=10)
            consumer.wait_for_frames(50, limit_s=20)
    assert measured.intervals["streaming"].seconds == pytest.approx(1.1, abs=0.5)
    ended = bodies(run.history, events.ConsumerDisconnected)
    assert f"127.0.0.1:{first}" in str(ended[0].body)
    run.close()


def test_a_stream_that_comes_back_is_seen_at_once(tmp_path: Path) -> None:
    port = free_port()
    run = Run.create(tmp_path, "consumer", lab={}, profile={}, versions={})
    with Consumer(run.history, [("127.0.0.1", port)], idcode=IDCODE) as consumer:
        with pmu(port) as process:
            consumer.wait_for_frames(25, limit_s=20)
            case = run.begin_case("kill", declared("A stream dies"))
            consumer.wait_for_frames(25, limit_s=20)
            process.kill()
            run.history.record(events.FaultInForce(**fault("kill", "pmu")))
            process.wait()
            time.sleep(0.3)
        with pmu(port):
            measured = case.wait_for("streaming", limit_s=20)
            consumer.wait_for_frames(25, limit_s=20)
    run.close()
    frames = intervals.measure_file(run.history.path)[0].frames
    assert frames is not None
    assert frames.refusals > 3
    assert frames.connections >= 1
    assert frames.lost == pytest.approx((measured.intervals["streaming"].seconds or 0) * 50, abs=3)


def test_an_absent_stream_is_a_clear_time_out(recorder: history.Recorder) -> None:
    port = free_port()
    with (
        Consumer(recorder, [("127.0.0.1", port)], idcode=IDCODE) as consumer,
        pytest.raises(TimeoutError, match=rf"limit 0\.4 s.*127\.0\.0\.1:{port}.*refused"),
    ):
        consumer.wait_for_frames(1, limit_s=0.4)


def test_nothing_is_recorded_after_stop(recorder: history.Recorder) -> None:
    port = free_port()
    with pmu(port):
        consumer = Consumer(recorder, [("127.0.0.1", port)], idcode=IDCODE).start()
        consumer.wait_for_frames(10, limit_s=20)
        consumer.stop()
        size = recorder.path.stat().st_size
        time.sleep(0.2)
        assert recorder.path.stat().st_size == size
        consumer.stop()


def test_an_address_that_hangs_is_tried_less_often() -> None:
    rotation = Rotation([("a", 1), ("b", 1), ("c", 1)], rest_s=60)
    assert rotation.next() == ("a", 1)
    rotation.hung()
    assert [rotation.next()[0] for _ in range(4)] == ["b", "c", "b", "c"]
    rotation.hung()
    assert rotation.next() == ("b", 1)
    rotation.hung()
    # All hang: the one whose rest ends first.
    assert rotation.next() == ("a", 1)
    rotation.answered()
    assert [rotation.next()[0] for _ in range(2)] == ["a", "a"]


def test_a_probe_without_addresses_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one address"):
        Rotation([])
