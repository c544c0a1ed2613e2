"""What `c37118 check` finds in a stream, by kind, and that a sound stream has nothing wrong."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import stream_fixtures as streams

from grid import c37118
from grid.c37118 import FrameType
from grid.inspect.findings import FindingKind, StreamReport
from grid.inspect.observed_frame import ObservedFrame
from grid.inspect.stream_check import StreamCheck

START_NS = 1_700_000_000 * 10**9
PERIOD_NS = 20_000_000
LOCKED = c37118.TimeQuality(code=0)


def configuration(**fields: object) -> c37118.Configuration:
    station = streams.station(7, **fields.pop("station", {}))
    return replace(
        c37118.Configuration(
            idcode=7,
            stamp=c37118.Stamp.from_ns(START_NS, 1_000_000, LOCKED),
            time_base=1_000_000,
            stations=(station,),
            data_rate=50,
        ),
        **fields,
    )


class Stream:
    """A stream under check; each method adds to it."""

    def __init__(self, sent: c37118.Configuration | None = None) -> None:
        self.check = StreamCheck("stream")
        self.configure(sent or configuration())

    def configure(self, sent: c37118.Configuration) -> None:
        self.codec = c37118.DataCodec(sent)
        self.check.take(self._seen(FrameType.CFG2, sent))

    def data(
        self,
        slot: int,
        *,
        latency_ns: int | None = 5_000_000,
        quality: c37118.TimeQuality = LOCKED,
        stat: c37118.Stat | None = None,
        value: float = 100.0,
        shift_ns: int = 0,
    ) -> None:
        ns = START_NS + slot * PERIOD_NS + shift_ns
        stations = self.codec.configuration.stations
        measured = c37118.Measurement(
            stat=stat or c37118.Stat(),
            phasors=(complex(value, 0),) * 2,
            frequency_hz=50.0,
            rocof_hz_s=0.0,
        )
        frame = c37118.DataFrame(
            7,
            c37118.Stamp.from_ns(ns, self.codec.configuration.time_base, quality),
            tuple(c37118.write(station, measured) for station in stations),
        )
        t_ns = None if latency_ns is None else ns + latency_ns
        self.check.take(self._seen(FrameType.DATA, frame, self.codec, t_ns))

    def report(self) -> StreamReport:
        return self.check.report()

    def _seen(self, kind, frame, codec=None, t_ns=None) -> ObservedFrame:
        return ObservedFrame(
            t_ns=t_ns, source="host", type=kind, idcode=7, frame=frame, codec=codec
        )


def found(stream: Stream) -> list[tuple[FindingKind, str]]:
    return [(finding.kind, finding.what) for finding in stream.report().findings]


def test_nothing_is_wrong_with_a_sound_stream():
    stream = Stream()
    for slot in range(200):
        stream.data(slot)
    stream.configure(configuration(stamp=c37118.Stamp(soc=1, count=0, quality=LOCKED)))
    report = stream.report()
    assert report.findings == []
    assert "50.000 data frames/s arrived over 4.0 s" in report.facts
    assert report.facts[-1].startswith("from time stamp to arrival 5.000 to 5.000 ms, median 5.000")
    assert "nothing wrong" in report.text([])


def gaps(stream: Stream) -> None:
    for slot in (0, 1, 5, 6, 8):
        stream.data(slot)


def twice(stream: Stream) -> None:
    for slot in (0, 1, 1, 2):
        stream.data(slot)


def disorder(stream: Stream) -> None:
    for slot in (0, 2, 1, 3):
        stream.data(slot)


def between(stream: Stream) -> None:
    stream.data(0)
    stream.data(1, shift_ns=5_000_000)


def slow(stream: Stream) -> None:
    for slot in range(100):
        stream.data(slot, latency_ns=slot * 10_000_000)


def unlocked(stream: Stream) -> None:
    stream.data(0, quality=c37118.TimeQuality(code=15))


def unsynchronized(stream: Stream) -> None:
    stream.data(0, stat=c37118.Stat(synchronized=False, unlocked=2))


def absent(stream: Stream) -> None:
    stream.data(0, stat=c37118.ABSENT)


def trigger(stream: Stream) -> None:
    stream.data(0, stat=c37118.Stat(trigger=True, trigger_reason=3))


def valueless(stream: Stream) -> None:
    stream.data(0, value=math.nan)


def early(stream: Stream) -> None:
    stream.data(0, latency_ns=-4_000_000)


def changed(stream: Stream) -> None:
    stream.data(0)
    stream.configure(configuration(station={"phasors": ["VA", "VB"]}))


def changed_and_told(stream: Stream) -> None:
    station = replace(streams.station(7), change_count=1)
    stream.configure(configuration(stations=(station,)))


@pytest.mark.parametrize(
    ("happens", "kind", "what"),
    [
        (
            gaps,
            FindingKind.GAPS,
            "4 of 9 data frames are missing, in 2 places; the longest gap is 3",
        ),
        (twice, FindingKind.ORDER, "1 data frames came twice"),
        (disorder, FindingKind.ORDER, "1 data frames came after a later one"),
        (between, FindingKind.RATE, "1 time stamps stand at no reporting time of DATA_RATE 50"),
        (slow, FindingKind.RATE, "33.333 data frames/s arrive, DATA_RATE promises 50"),
        (unlocked, FindingKind.CLOCK, "clock unreliable, say 1 of 1"),
        (
            unsynchronized,
            FindingKind.CLOCK,
            "pmu-7: good, not in sync, unlocked for 100 s or more, in 1",
        ),
        (absent, FindingKind.STAT, "pmu-7: absent, not in sync, in 1 of 1"),
        (trigger, FindingKind.STAT, "pmu-7: good, trigger 3, in 1 of 1"),
        (valueless, FindingKind.VALUES, "pmu-7: 1 blocks are good by STAT, but lack values"),
        (early, FindingKind.LATENCY, "1 data frames arrived up to 4.000 ms before the time"),
        (changed, FindingKind.CHANGE, "changed after 1 data frames; CFGCNT does not say so"),
        (changed_and_told, FindingKind.CHANGE, "changed after 0 data frames; CFGCNT says so"),
    ],
)
def test_each_fault_is_found_and_no_other(
    happens: Callable[[Stream], None], kind: FindingKind, what: str
):
    stream = Stream()
    happens(stream)
    ((found_kind, found_what),) = found(stream)
    assert found_kind is kind
    assert what in found_what


INTEGER = c37118.Format(float_phasors=False)


@pytest.mark.parametrize(
    ("sent", "kind", "what"),
    [
        (configuration(stations=()), FindingKind.CONFIGURATION, "has no PMU"),
        (configuration(data_rate=0), FindingKind.CONFIGURATION, "DATA_RATE is 0"),
        (configuration(idcode=65535), FindingKind.NAMES, "IDCODE 65535 is reserved"),
        (
            configuration(stations=(streams.station(7), replace(streams.station(8), idcode=7))),
            FindingKind.NAMES,
            "PMU id 7 stands for 2 PMUs",
        ),
        (
            configuration(stations=(streams.station(7), replace(streams.station(7), idcode=8))),
            FindingKind.NAMES,
            "station name 'pmu-7' stands for 2 PMUs",
        ),
        (
            configuration(station={"phasors": ["VA", "VA"]}),
            FindingKind.NAMES,
            "'VA' names 2 channels",
        ),
        (configuration(station={"phasors": ["VA", ""]}), FindingKind.NAMES, "has no name"),
        (configuration(station={"phasors": ["VA", "Ü"]}), FindingKind.NAMES, "no printable ASCII"),
        (
            configuration(
                stations=(
                    replace(
                        streams.station(7, form=INTEGER),
                        phasor_units=(c37118.PhasorUnit(kind=0, factor=0),) * 2,
                    ),
                )
            ),
            FindingKind.CONFIGURATION,
            "is an integer with a scale of 0",
        ),
    ],
)
def test_a_configuration_that_makes_no_sense_is_found(sent, kind, what):
    assert any(one[0] is kind and what in one[1] for one in found(Stream(sent)))


def test_a_cfg_3_that_contradicts_cfg_2_is_found():
    stream = Stream()
    details = c37118.Configuration3.of(configuration())
    stream.check.take(stream._seen(FrameType.CFG3, details))
    assert found(stream) == []
    stream.check.take(stream._seen(FrameType.CFG3, replace(details, data_rate=25)))
    assert (FindingKind.CONFIGURATION, "CFG-3 contradicts CFG-2") in found(stream)


def test_frames_that_cannot_be_read_are_counted_by_reason():
    stream = Stream()
    for _ in range(3):
        stream.check.take(
            ObservedFrame(
                t_ns=None, source="host", type=FrameType.DATA, idcode=7, problem="too short"
            )
        )
    ((kind, what),) = found(stream)
    assert (kind, what) == (FindingKind.CONFIGURATION, "3 DATA frames cannot be read: too short")


def test_a_stream_of_few_frames_is_judged_by_its_own_period():
    stream = Stream(configuration(data_rate=-2))
    for second in range(0, 40, 2):
        stream.data(second * 50)
    assert found(stream) == []


def test_allowed_kinds_are_told_and_excused():
    stream = Stream()
    unlocked(stream)
    report = stream.report()
    assert report.unexcused([]) == report.findings
    assert report.unexcused([FindingKind.CLOCK]) == []
    assert "allowed clock:" in report.text([FindingKind.CLOCK])
    assert "WRONG clock:" in report.text([])
