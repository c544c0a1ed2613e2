"""Captures that are sent again."""

from pathlib import Path

import pytest
import tshark_judge

from grid import c37118
from grid.c37118 import Command
from grid.documents.document_error import DocumentError
from grid.pmu.captured_stream import CapturedStream
from grid.pmu.clock import UNKNOWN, FixedClock, within
from grid.pmu.scenario import captured, document
from grid.pmu.simulator import Simulator

CAPTURES = Path(__file__).parents[3] / "data" / "synchrophasor" / "captures"
TCP = CAPTURES / "C37.118_1PMU_TCP.pcap"
NOW = 1_700_000_000


@pytest.fixture
def stream() -> CapturedStream:
    return CapturedStream(captured.read(TCP), FixedClock(UNKNOWN))


def read(stream: CapturedStream, slot: int) -> c37118.DataFrame:
    return c37118.DataCodec(stream.configuration(stream.slots.time_ns(slot))).decode(
        stream.frame(slot)
    )


def test_values_are_those_of_the_capture_and_stamps_those_of_now(stream):
    there = captured.read(TCP)
    codec = c37118.DataCodec(there.configuration)
    rate = there.configuration.data_rate
    first = NOW * rate // there.length * there.length
    for offset, frame in there.frames.items():
        slot = first + offset
        sent, was = read(stream, slot), codec.decode(frame)
        assert stream.slots.nearest(sent.stamp.ns(there.configuration.time_base)) == slot
        for one, other in zip(sent.pmus, was.pmus, strict=True):
            assert one.phasors == other.phasors
            assert one.frequency == other.frequency
            assert one.digitals == other.digitals
            assert one.stat.data_error is other.stat.data_error


def test_the_clock_is_this_computers(stream):
    slot = stream.slots.nearest(NOW * 1_000_000_000)
    sent = read(stream, slot)
    assert sent.stamp.quality.code == c37118.UNRELIABLE
    assert not sent.pmus[0].stat.synchronized
    known = CapturedStream(captured.read(TCP), FixedClock(within(1e-6)))
    assert read(known, slot).stamp.quality.code == 4
    assert read(known, slot).pmus[0].stat.synchronized


def test_it_starts_again_when_it_is_over_whatever_the_process_start(stream):
    there = captured.read(TCP)
    slot = NOW * there.configuration.data_rate
    again = CapturedStream(captured.read(TCP), FixedClock(UNKNOWN))
    assert stream.frame(slot) == again.frame(slot)
    for offset in range(there.length):
        one, other = (stream.frame(slot + offset + turn * there.length) for turn in (0, 1))
        assert one[14:-2] == other[14:-2]


def test_lost_frames_stay_lost():
    there = captured.read(TCP)
    some = dict(list(there.frames.items())[::2])
    stream = CapturedStream(
        captured.Captured(
            configuration=there.configuration, frames=some, length=there.length, header=""
        ),
        FixedClock(UNKNOWN),
    )
    sent = [bool(stream.frame(slot)) for slot in range(there.length)]
    assert sent == [offset in some for offset in range(there.length)]


def test_tshark_reads_what_is_sent_again(stream, tmp_path: Path):
    slot = stream.slots.nearest(NOW * 1_000_000_000)
    commands = (Command.SEND_HEADER, Command.SEND_CFG1, Command.SEND_CFG2)
    frames = [stream.answer(command) for command in commands]
    frames += [stream.frame(slot + offset) for offset in range(30)]
    frames = [frame for frame in frames if frame]
    verdict = tshark_judge.judge(
        tmp_path / "again.pcap", [(True, frame) for frame in frames], fields=["synphasor.soc"]
    )
    verdict.assert_flawless(len(frames))


def test_a_scenario_serves_a_capture_beside_pmus():
    scenario = document.loads(
        f"""
        pmus: [{{name: a, idcode: 1, addresses: ["tcp://:4712"]}}]
        captures: [{{file: {TCP.name}, addresses: ["udp://:4713"]}}]
        """,
        folder=CAPTURES,
    )
    names = [publisher.stream.name for publisher in Simulator(scenario).publishers]
    assert names == ["a", captured.read(TCP).configuration.stations[0].name]


def frames() -> list[bytes]:
    """Return a stream's CFG-2 and two of its data frames."""
    there = captured.read(TCP)
    return [there.configuration.encode(), *list(there.frames.values())[:2]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "it has no CFG-2"),
        (frames()[1:], "it has no CFG-2"),
        (frames()[:1], "no data frame follows the CFG-2"),
        ([b"\xaa\x31" + bytes(20), *frames()[:1]], "no data frame follows"),
    ],
)
def test_what_cannot_be_sent_is_said(given, message):
    with pytest.raises(DocumentError, match=message):
        captured.collect(given)


def test_another_idcode_is_not_taken():
    with pytest.raises(DocumentError, match="has no CFG-2 of IDCODE 9999"):
        captured.collect(frames(), 9999)


def test_a_file_that_is_no_capture_is_said():
    with pytest.raises(DocumentError, match=r"test_pmu_captured\.py: it is neither"):
        captured.read(Path(__file__))
