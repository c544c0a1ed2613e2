"""One PMU's frames: faults, changes of configuration, formats; and Tshark's opinion of them."""

import itertools
import textwrap
from pathlib import Path

import pytest
import tshark_judge

from grid import c37118
from grid.c37118 import Command
from grid.pmu.scenario import document
from grid.pmu.signals.schedule import NS
from grid.pmu.simulator import Simulator

PROCESS_S = 1_700_000_000


def streams(text: str):
    scenario = document.loads(textwrap.dedent(text), folder=Path(), process_ns=PROCESS_S * NS)
    return [publisher.stream for publisher in Simulator(scenario).publishers]


def stream(events: str = "", pmu: str = "", top: str = ""):
    (found,) = streams(
        f"noise: 0\n{top}\npmus: [{{name: a, idcode: 7, rate: 50{pmu}}}]\nevents: [{events}]"
    )
    return found


def read(found, seconds: float) -> c37118.DataFrame:
    """Return the frame so many seconds after the start, read with the CFG-2 of its time."""
    slot = found.slots.nearest(round((PROCESS_S + seconds) * NS))
    configuration = c37118.Configuration.decode(
        found.configuration(found.slots.time_ns(slot)).encode()
    )
    return c37118.DataCodec(configuration).decode(found.frame(slot))


def stat(found, seconds: float) -> c37118.Stat:
    return read(found, seconds).pmus[0].stat


def test_frames_are_a_function_of_time_alone():
    text = """
        pmus:
          - {name: a, idcode: 1}
          - {name: b, idcode: 2, addresses: ["udp://:1"], format: int, coordinates: polar}
        events:
          - {kind: oscillation, frequency_hz: 0.3, angle_deg: 5, start: {minute_s: 0},
             duration_s: 50}
        """
    one, other = streams(text), streams(text)
    for first, again in zip(one, other, strict=True):
        slot = first.slots.nearest((PROCESS_S + 7) * NS)
        first.frame(slot - 500)
        assert first.frame(slot) == again.frame(slot) != first.frame(slot + 1)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("error: pmu-error", {"data_error": c37118.DataError.PMU_ERROR}),
        ("error: test-mode", {"data_error": c37118.DataError.ABSENT}),
        ("error: invalid", {"data_error": c37118.DataError.INVALID}),
        ("trigger: rocof", {"trigger": True, "trigger_reason": 5}),
        ("sorted_by_arrival: true", {"sorted_by_arrival": True}),
        ("modified: true", {"modified": True}),
    ],
)
def test_stat_bits_are_set_for_as_long_as_the_event_lasts(event, expected):
    found = stream(f"{{kind: status, {event}, start: {{process_s: 10}}, duration_s: 2}}")
    calm = stat(found, 9.98)
    assert stat(found, 12) == calm
    for seconds in (10, 11.98):
        marked = stat(found, seconds)
        assert {key: getattr(marked, key) for key in expected} == expected


def test_a_lost_clock_grows_worse_and_says_since_when():
    found = stream(
        "{kind: clock-lost, drift_us_s: 10, start: {process_s: 0}, duration_s: 2000}",
        top="clock: locked",
    )
    assert stat(found, -1).synchronized
    seen = [stat(found, seconds) for seconds in (5, 50, 500, 1500)]
    assert [one.unlocked for one in seen] == [0, 1, 2, 3]
    assert [one.time_quality for one in seen] == [4, 5, 6, 7]
    assert not any(one.synchronized for one in seen)
    # 50 us, 500 us, 5 ms, 15 ms.
    codes = [read(found, seconds).stamp.quality.code for seconds in (5, 50, 500, 1500)]
    assert codes == [6, 7, 8, 9]


def test_wrong_crcs_are_counted_by_a_receiver_and_the_rest_gets_through():
    found = stream("{kind: wrong-crc, every: 5, start: {process_s: 0}, duration_s: 2}")
    first = found.slots.nearest(PROCESS_S * NS)
    reader = c37118.Reassembler()
    frames = reader.feed(b"".join(found.frame(slot) for slot in range(first, first + 200)))
    assert reader.bad_crcs == 20
    assert len(frames) == 180


def test_silence_sends_nothing():
    found = stream("{kind: silence, start: {process_s: 1}, duration_s: 1}")
    first = found.slots.nearest(PROCESS_S * NS)
    sent = [bool(found.frame(slot)) for slot in range(first, first + 150)]
    assert sent == [True] * 50 + [False] * 50 + [True] * 50


@pytest.mark.parametrize("offset_s", [3600, -0.5])
def test_a_wrong_clock_stamps_the_right_signal_wrongly(offset_s):
    found = stream(
        f"{{kind: clock-offset, offset_s: {offset_s}, start: {{process_s: 0}}, duration_s: 9}}"
    )
    frame = read(found, 3)
    assert frame.stamp.ns(1_000_000) == round((PROCESS_S + 3 + offset_s) * NS)
    assert frame.pmus[0].phasors == read(stream(), 3).pmus[0].phasors


def test_digital_inputs_are_bits_of_their_words():
    found = stream(
        "{kind: digital, inputs: [Door, Alarm], start: {process_s: 0}, duration_s: 9}",
        pmu=", digitals: [[Breaker, Door], [Fire, Smoke, Alarm]]",
    )
    assert read(found, -1).pmus[0].digitals == (0, 0)
    assert read(found, 1).pmus[0].digitals == (0b10, 0b100)


def test_analogs_show_the_power_of_the_three_phases():
    found = stream(
        pmu=", analogs: [{label: P, quantity: P}, {label: Q, quantity: Q}], voltage_v: 100000, "
        "current_a: 100, angle_deg: 0, power_factor_deg: 60"
    )
    assert read(found, 0).pmus[0].analogs == pytest.approx((15, 25.98), rel=1e-3)


@pytest.mark.parametrize(
    ("version", "flagged", "calm"),
    [
        # 2005: changed within the last minute. 2011: will change within the next one.
        (2005, (100, 159.9, 200, 259.9), (99.9, 160, 199.9, 260)),
        (2011, (40, 99.9, 140, 199.9), (39.9, 100, 139.9, 200)),
    ],
)
def test_a_change_of_configuration_is_counted_and_flagged_for_a_minute(version, flagged, calm):
    found = stream(
        "{kind: configuration-change, phasors: [IB, VA], start: {process_s: 100}, duration_s: 100}",
        pmu=f", version: {version}",
    )
    assert [stat(found, seconds).configuration_change for seconds in flagged] == [True] * 4
    assert [stat(found, seconds).configuration_change for seconds in calm] == [False] * 4
    for seconds, count, phasors in (
        (99.98, 0, ("VA", "VB", "VC", "IA", "IB", "IC")),
        (100, 1, ("IB", "VA")),
        (200, 2, ("VA", "VB", "VC", "IA", "IB", "IC")),
    ):
        (station,) = found.configuration(round((PROCESS_S + seconds) * NS)).stations
        assert (station.change_count, station.phasors) == (count, phasors)
    whole = read(found, 99.98), read(found, 150)
    assert whole[0].pmus[0].phasors[4] == pytest.approx(
        read(stream(), 99.98).pmus[0].phasors[4], rel=1e-6
    )
    assert len(whole[1].pmus[0].phasors) == 2


def test_sequences_are_those_of_the_three_phases():
    sag = (
        "{kind: magnitude-step, voltage_percent: -30, phases: A, start: {process_s: 0}, "
        "duration_s: 9}"
    )
    found = stream(
        sag, pmu=', phasors: [VA, VB, VC, V+, V-, {label: V0, type: V, phase: "0"}], angle_deg: 0'
    )
    for seconds, share in ((-1, (1, 0, 0)), (5, (0.9, 0.1, 0.1))):
        values = [abs(complex(*pair)) for pair in read(found, seconds).pmus[0].phasors]
        whole = values[1]
        assert values[3:] == pytest.approx([whole * part for part in share], abs=1e-2)


@pytest.mark.parametrize(
    ("form", "coordinates", "version"),
    list(itertools.product(("float", "int"), ("rectangular", "polar"), (2005, 2011))),
)
def test_tshark_reads_what_a_scenario_sends(tmp_path: Path, form, coordinates, version):
    found = stream(
        "{kind: status, trigger: frequency, start: {process_s: 0}, duration_s: 1}, "
        "{kind: digital, inputs: [Door], start: {process_s: 0}, duration_s: 1}, "
        "{kind: frequency-ramp, deviation_hz: 1.5, rate_hz_s: 3, start: {process_s: -0}, "
        "duration_s: 1}",
        pmu=f", format: {form}, coordinates: {coordinates}, version: {version}, "
        "digitals: [[Door]], analogs: [{label: P, quantity: P}]",
        top="clock: {error_s: 1.0e-6}",
    )
    first = found.slots.nearest(PROCESS_S * NS)
    frames = [found.answer(Command.SEND_HEADER), found.answer(Command.SEND_CFG1)]
    frames += [found.configuration(PROCESS_S * NS).encode()]
    frames += [found.frame(slot) for slot in range(first, first + 60)]
    verdict = tshark_judge.judge(
        tmp_path / "scenario.pcap",
        [(True, frame) for frame in frames],
        fields=["synphasor.data.trigger", "synphasor.timeqal.timequalindic"],
    )
    verdict.assert_flawless(len(frames))
    on = ("1", "True")
    assert [value in on for value in verdict.fields["synphasor.data.trigger"]] == (
        [True] * 50 + [False] * 10
    )
    assert {int(code, 0) for code in verdict.fields["synphasor.timeqal.timequalindic"]} == {4}
    text = tshark_judge.details(tmp_path / "scenario.pcap")
    assert text.count("Digital status word #1: 0x0001") == 50
    assert text.count("Trigger reason: Frequency high or low") == 50


def test_cfg_3_says_which_component_each_phasor_is():
    phasors = '[VA, {label: Line 4, type: I, phase: B}, V+, {label: V zero, type: V, phase: "0"}]'
    found = stream(pmu=f", phasors: {phasors}")
    (station,) = c37118.Configuration3.decode(*found.answer(Command.SEND_CFG3)).stations
    assert station.phasors == ("VA", "Line 4", "V+", "V zero")
    assert [(unit.is_current, unit.component.name) for unit in station.phasor_units] == [
        (False, "A"),
        (True, "B"),
        (False, "POSITIVE"),
        (False, "ZERO"),
    ]


def test_the_standard_of_2005_knows_no_cfg_3():
    assert stream(pmu=", version: 2005").answer(Command.SEND_CFG3) is None
