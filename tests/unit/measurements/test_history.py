import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from measurements import events, history


def test_a_line_carries_both_clocks_case_and_fields(tmp_path: Path) -> None:
    with history.Recorder(tmp_path / "history.jsonl") as recorder:
        recorder.case = "pdc-killed"
        before = time.monotonic_ns()
        recorder.record(events.NodeSeen(name="n", ready="True", reason="KubeletReady", via="s"))
        after = time.monotonic_ns()
    line = json.loads((tmp_path / "history.jsonl").read_text())
    assert before <= line.pop("t_ns") <= after
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("wall"))
    assert line == {
        "case": "pdc-killed",
        "source": "api",
        "event": "node",
        "name": "n",
        "ready": "True",
        "reason": "KubeletReady",
        "via": "s",
    }


def test_an_earlier_moment_moves_both_clocks(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with history.Recorder(path) as recorder:
        now = time.monotonic_ns()
        recorder.record(events.Note(text="now"), t_ns=now)
        recorder.record(events.Note(text="then"), t_ns=now - 3_000_000_000)
    first, second = history.read(path)
    assert first.t_ns - second.t_ns == 3_000_000_000
    assert first.wall > second.wall


@given(
    st.lists(
        st.builds(
            events.FrameArrived,
            soc=st.integers(0, 2**32 - 1),
            fraction=st.floats(0, 1, exclude_max=True),
            idcode=st.integers(1, 65534),
            stats=st.lists(st.integers(0, 0xFFFF), max_size=4).map(tuple),
        )
        | st.builds(events.Note, text=st.text())
        | st.builds(
            events.SqlChecked,
            acknowledged=st.integers(),
            present=st.integers(),
            missing=st.lists(st.integers()).map(tuple),
        ),
    )
)
def test_what_was_recorded_is_read_back(tmp_path_factory, bodies: list[events.Body]) -> None:
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    with history.Recorder(path) as recorder:
        for body in bodies:
            recorder.record(body)
    found = history.read(path)
    assert [event.body for event in found] == bodies
    assert [event.line for event in found] == list(range(1, len(bodies) + 1))


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with history.Recorder(path) as recorder:

        def write(number: int) -> None:
            for count in range(200):
                recorder.record(events.Note(text=f"{number}-{count}-" + "x" * 3000))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reader = history.Reader(path)
    assert len(reader.read()) == 1600
    assert reader.unreadable == []


def test_nothing_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    script = (
        "import sys, pathlib\n"
        "from measurements import events, history\n"
        "recorder = history.Recorder(pathlib.Path(sys.argv[1]))\n"
        "number = 0\n"
        "while True:\n"
        "    number += 1\n"
        "    recorder.record(events.RowAcknowledged(id=number))\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(500):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = 500 + len(process.stdout.read().splitlines())
    found = [e.body.id for e in history.read(path) if isinstance(e.body, events.RowAcknowledged)]
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= said


def test_a_cut_last_line_is_left_out_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with history.Recorder(path) as recorder:
        recorder.record(events.Note(text="one"))
        recorder.record(events.Note(text="two"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    reader = history.Reader(path)
    assert [event.body for event in reader.read()] == [events.Note(text="one")]
    assert reader.cut
    path.write_bytes(whole)
    assert len(reader.read()) == 2
    assert not reader.cut


def test_a_new_recorder_does_not_write_into_a_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"t_ns": 1, "wall": "x", "ca')
    with history.Recorder(path) as recorder:
        recorder.record(events.Note(text="after"))
    reader = history.Reader(path)
    assert [(event.line, event.body) for event in reader.read()] == [(2, events.Note(text="after"))]
    assert reader.unreadable == [1]


def test_what_a_newer_version_wrote_is_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    head = '{"t_ns": 1, "wall": "w", "case": "", "source": "harness", '
    path.write_text(
        head
        + '"event": "weather", "sun": true}\n'
        + head
        + '"event": "note", "text": "known", "colour": "red"}\n'
        + head
        + '"event": "note"}\n'
        + "[1, 2]\n\n"
    )
    reader = history.Reader(path)
    assert [event.body for event in reader.read()] == [events.Note(text="known")]
    assert reader.unreadable == [1, 3, 4]


def test_recording_after_close_does_nothing(tmp_path: Path) -> None:
    recorder = history.Recorder(tmp_path / "history.jsonl")
    recorder.close()
    recorder.close()
    recorder.record(events.Note(text="late"))
    assert (tmp_path / "history.jsonl").read_bytes() == b""


def test_every_event_has_a_name_of_its_own() -> None:
    assert len(events.KINDS) == 20
    assert all(
        line in events.__doc__
        for line in (f"| {kind.__name__:<20} |" for kind in events.KINDS.values())
    )
