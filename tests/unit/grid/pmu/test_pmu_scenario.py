"""Scenarios as documents: what they mean, and what is said where they are wrong."""

import contextlib
import datetime
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from grid.c37118 import VERSION_2005, FrameError, Stat
from grid.documents.document_error import DocumentError
from grid.pmu.scenario import document
from grid.pmu.scenario.pmu_faults import StatusFlags
from grid.pmu.signals.disturbance import Oscillation
from grid.pmu.signals.schedule import NS
from grid.pmu.simulator import Simulator
from grid.transport.address import Transport

PROCESS_NS = 1_700_000_000 * NS


def read(text: str, folder: Path = Path()):
    return document.loads(textwrap.dedent(text), folder=folder, process_ns=PROCESS_NS)


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read(text)
    return caught.value.problems


@pytest.mark.parametrize("name", document.shipped())
def test_every_shipped_scenario_can_be_simulated(name):
    scenario = document.load(name)
    assert Simulator(scenario).publishers
    title = (document.SHIPPED / f"{name}.yml").read_text().splitlines()[0]
    assert title.startswith("# ")


def test_a_pmu_says_everything_about_its_stream():
    (pmu,) = read("""
        nominal_hz: 60
        pmus:
          - name: north
            idcode: 9
            rate: 30
            version: 2005
            time_base: 16777215
            format: {phasors: int, frequency: float, analogs: int}
            coordinates: polar
            phasors: [VA, {label: Line 4, type: I, phase: "0"}]
            analogs: [{label: Power, quantity: P}]
            digitals: [[Breaker 1, Breaker 2], [Alarm]]
            header: hello
            voltage_v: 10000
            addresses: ["tcp://127.0.0.1:4712", "tcp+udp://:4714?data=5000"]
        """).pmus
    station = pmu.channels.station
    assert (pmu.name, pmu.idcode, pmu.rate, pmu.version) == ("north", 9, 30, VERSION_2005)
    assert (station.nominal_hz, pmu.time_base, pmu.header) == (60, 16777215, "hello")
    form = station.format
    assert (form.polar, form.float_phasors, form.float_frequency, form.float_analogs) == (
        True, False, True, False,
    )  # fmt: skip
    assert station.phasors == ("VA", "Line 4")
    assert station.phasor_units[0].scale * 32767 == pytest.approx(20_000, rel=1e-4)
    assert [unit.valid for unit in station.digital_units] == [0b11, 0b1]
    assert station.digitals[:2] == ("Breaker 1", "Breaker 2")
    assert [address.transport for address in pmu.addresses] == [Transport.TCP, Transport.TCP_UDP]


def test_a_count_makes_many_pmus_with_ids_and_ports_of_their_own():
    pmus = read("""
        pmus:
          - {name: pmu, idcode: 7, count: 300, addresses: ["tcp://:5000"]}
        """).pmus
    last = pmus[-1]
    assert len(pmus) == 300
    assert (last.name, last.idcode, last.addresses[0].port) == ("pmu-300", 306, 5299)


@pytest.mark.parametrize(
    ("start", "first_ns", "repeat_ns"),
    [
        ("start: {process_s: 2.5}", PROCESS_NS + 2_500_000_000, None),
        ("start: {process_s: 0}\n    repeat_s: 30", PROCESS_NS, 30 * NS),
        ("start: {utc: 2026-12-31T23:59:00Z}", 1_798_761_540 * NS, None),
        ("start: {minute_s: 15}", 15 * NS, 60 * NS),
        ("start: {minute_s: 75}\n    repeat_s: 120", 75 * NS, 120 * NS),
        ("start: {second_s: 0.2}", 200_000_000, NS),
    ],
)
def test_an_event_starts_by_the_process_the_wall_clock_or_utc(start, first_ns, repeat_ns):
    text = "pmus: [{name: a, idcode: 1}]\nevents:\n  - kind: phase-step\n    angle_deg: 5\n"
    text += f"    duration_s: 0.5\n    {start}"
    (event,) = read(text).events
    assert event.what.schedule.first_ns == first_ns
    assert event.what.schedule.repeat_ns == repeat_ns


def test_events_touch_the_pmus_that_they_name_with_their_shares():
    scenario = read("""
        pmus: [{name: a, idcode: 1}, {name: b, idcode: 2, addresses: ["tcp://:1"]}]
        events:
          - {kind: oscillation, frequency_hz: 0.3, angle_deg: 5, start: {minute_s: 0},
             duration_s: 30, pmus: {a: 1.0, b: -0.5}}
          - {kind: status, trigger: frequency, start: {minute_s: 0}, duration_s: 1, pmus: [b]}
          - {kind: silence, start: {process_s: 5}}
        """)
    swing, trigger, silence = scenario.events
    assert isinstance(swing.what, Oscillation)
    assert (swing.share("a"), swing.share("b")) == (1.0, -0.5)
    assert (trigger.share("a"), trigger.share("b")) == (0.0, 1.0)
    assert (silence.share("a"), silence.share("b")) == (1.0, 1.0)
    assert isinstance(trigger.what, StatusFlags)
    assert trigger.what.mark(Stat(), 60 * NS) == Stat(trigger=True, trigger_reason=4)


@pytest.mark.parametrize(
    ("clock", "code", "synchronized"),
    [
        ("", 15, False),
        ("clock: unknown", 15, False),
        ("clock: locked", 0, True),
        ("clock: {error_s: 1.0e-6}", 4, True),
    ],
)
def test_a_scenario_says_how_good_the_clock_is(clock, code, synchronized):
    clock_state = read(f"pmus: [{{name: a, idcode: 1}}]\n{clock}").clock.state(PROCESS_NS)
    assert (clock_state.quality.code, clock_state.synchronized) == (code, synchronized)


def test_a_leap_second_is_announced():
    clock = read("""
        pmus: [{name: a, idcode: 1}]
        leap_second: {at: 2027-01-01T00:00:00Z, delete: true}
        """).clock
    midnight = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC).timestamp()
    seen = []
    for seconds in (-61, -60, -0.02, 0, 86_399, 86_400):
        quality = clock.state(round((midnight + seconds) * NS)).quality
        seen.append((quality.leap_pending, quality.leap_occurred, quality.leap_delete))
    never, pending, occurred = (False,) * 3, (True, False, True), (False, True, True)
    assert seen == [never, pending, pending, occurred, occurred, never]


def test_everything_that_is_wrong_is_said_at_once_with_its_place():
    found = problems("""
        sed: 1
        noise: 7
        clock: perfect
        pmus:
          - {name: a name of more than 16, idcode: 0, rate: 0, format: text}
          - {name: b, idcode: 2, phasors: [Umbra], addresses: ["ftp://x"]}
          - {name: b, idcode: 3, replay: {file: none.csv, start: {minute_s: 0}}}
        events:
          - {kind: earthquake}
          - {kind: phase-step, angle_deg: 999, start: now, pmus: [c]}
          - {kind: frequency-ramp, deviation_hz: 1, rate_hz_s: 1, start: {minute_s: 0},
             duration_s: 1}
          - {kind: silence, start: {minute_s: 0}}
          - {kind: digital, inputs: [Door], start: {process_s: 0}, pmus: [b]}
        """)
    expected = [
        "the scenario: unknown sed",
        "the scenario.noise: 7 is no number within 0..1",
        "clock: 'perfect' is none of",
        "pmus[0].name: 'a name of more than 16'",
        "pmus[0].idcode: 0 is no whole number within 1..65534",
        "pmus[0].rate: 0 is neither",
        "pmus[0].format: 'text' is none of float, int",
        "pmus[1].phasors[0]: 'Umbra' does not say type and phase",
        "pmus[1].addresses: 'ftp://x' is no address",
        "pmus[2].replay.file: [Errno 2]",
        "pmus: name b stands there twice",
        "events[0].kind: 'earthquake' is none of phase-step",
        "events[1].angle_deg: 999 is no number",
        "events[1].start: one of",
        "events[1].pmus: no PMU is called c",
        "events[2].duration_s: 1 is no number within 2..",
        "events[3].duration_s: what begins each 60 s needs an end",
        "events[4]: b has no channel Door",
    ]
    for text in expected:
        assert any(problem.startswith(text) for problem in found), (text, found)
    assert len(found) <= len(expected) + 2, found


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "pmus: 5", "pmus: [3]\nevents: {a: b}", "a: [", "5"]
)
def test_what_is_no_scenario_at_all_is_refused_in_sentences(text):
    assert all(isinstance(problem, str) and problem for problem in problems(text))


def test_two_pmus_cannot_have_one_port():
    assert problems("pmus: [{name: a, idcode: 1}, {name: b, idcode: 2}]") == [
        "pmus: tcp://:4712 is the address of two streams"
    ]


_WORDS = st.sampled_from(
    ["a", "b", "VA", "IB", "V+", "tcp://:4712", "udp://:1", "phase-step", "oscillation", "status",
     "silence", "digital", "wrong-crc", "frequency-ramp", "magnitude-step", "clock-lost",
     "clock-offset", "configuration-change", "kernel", "locked", "int", "float", "polar",
     "invalid", "manual", "two-area.csv", "nan", "1e400", "none.pcap"]
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-70_000, 70_000), st.floats(), _WORDS, st.text(max_size=3)
)
_KEYS = st.sampled_from(
    ["seed", "nominal_hz", "noise", "wander_mhz", "clock", "leap_second", "pmus", "captures",
     "events", "name", "idcode", "count", "addresses", "rate", "version", "time_base", "format",
     "coordinates", "phasors", "analogs", "digitals", "header", "voltage_v", "current_a",
     "angle_deg", "power_factor_deg", "replay", "kind", "start", "repeat_s", "duration_s",
     "process_s", "minute_s", "second_s", "utc", "at", "delete", "error_s", "file", "pmu",
     "between", "label", "type", "phase", "quantity", "transition_s", "phases",
     "voltage_percent", "current_percent", "frequency_hz", "damping", "deviation_hz",
     "rate_hz_s", "error", "trigger", "modified", "drift_us_s", "offset_s", "every", "inputs"]
)  # fmt: skip
_DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_KEYS | _SCALARS, inner, max_size=6)
    ),
    max_leaves=30,
)
_ENTRIES = st.lists(st.dictionaries(_KEYS, _DOCUMENTS, min_size=1, max_size=12), max_size=3)


@given(
    st.fixed_dictionaries(
        {}, optional={"pmus": _ENTRIES, "events": _ENTRIES, "captures": _ENTRIES}
    ),
    st.dictionaries(_KEYS, _DOCUMENTS, max_size=4),
)
def test_whatever_the_document_it_is_a_scenario_or_refused_in_sentences(known, other):
    text = yaml.safe_dump(other | known)
    try:
        scenario, refused = document.loads(text, folder=document.SHIPPED), []
    except DocumentError as error:
        scenario, refused = None, error.problems
    assert all(isinstance(problem, str) and problem for problem in refused)
    assert refused or scenario.pmus or scenario.captures


_EVERYTHING = f"""
seed: 1
nominal_hz: 50
noise: 1.0e-4
wander_mhz: 20
clock: {{error_s: 1.0e-6}}
leap_second: {{at: 2027-01-01T00:00:00Z, delete: false}}
pmus:
  - {{name: a, idcode: 1, count: 2, addresses: ["tcp://:5000"], rate: 50, version: 2005,
     time_base: 600, format: {{phasors: int}}, coordinates: polar, header: x, voltage_v: 5,
     current_a: 3, angle_deg: 0, power_factor_deg: 1, digitals: [[Door, Fire]],
     phasors: [VA, {{label: L, type: I, phase: "0"}}], analogs: [{{label: P, quantity: Q}}]}}
  - {{name: b, idcode: 9, replay: {{file: {document.SHIPPED}/two-area.csv, pmu: bus-5,
     between: hold, start: {{minute_s: 75}}, repeat_s: 120}}}}
events:
  - {{kind: phase-step, angle_deg: 3, transition_s: 0.1, start: {{second_s: 0.1}}, duration_s: 0.5}}
  - {{kind: magnitude-step, voltage_percent: 3, current_percent: 1, phases: A, pmus: {{b: 0.5}},
     start: {{process_s: 0}}}}
  - {{kind: oscillation, frequency_hz: 0.5, angle_deg: 3, damping: 0.1, start: {{minute_s: 0}},
     duration_s: 20}}
  - {{kind: frequency-ramp, deviation_hz: 0.5, rate_hz_s: 3, start: {{minute_s: 0}}, duration_s: 9}}
  - {{kind: status, trigger: rocof, error: invalid, start: {{minute_s: 0}}, duration_s: 9}}
  - {{kind: clock-lost, drift_us_s: 5, start: {{minute_s: 0}}, duration_s: 9}}
  - {{kind: clock-offset, offset_s: 5, start: {{minute_s: 0}}, duration_s: 9}}
  - {{kind: wrong-crc, every: 5, start: {{minute_s: 0}}, duration_s: 9}}
  - {{kind: digital, inputs: [Door], start: {{minute_s: 0}}, duration_s: 9, pmus: [a-1]}}
  - {{kind: configuration-change, phasors: [L], start: {{minute_s: 0}}, duration_s: 9, pmus: [a-2]}}
"""


def places(value, path=()):
    """Yield the way to each value of a document."""
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


_PLACES = list(places(yaml.safe_load(_EVERYTHING)))[1:]


@given(st.sampled_from(_PLACES), _SCALARS | _DOCUMENTS)
def test_a_scenario_with_one_value_changed_is_simulated_or_refused(path, value):
    whole = yaml.safe_load(_EVERYTHING)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    # Thousands of PMUs are possible, and take their time.
    assume(not (path[-1] == "count" and isinstance(value, int) and value > 10))
    try:
        scenario = document.loads(yaml.safe_dump(whole), folder=Path())
    except DocumentError as error:
        assert error.problems  # noqa: PT017
        return
    with contextlib.suppress(FrameError):
        for publisher in Simulator(scenario).publishers:
            publisher.stream.frame(publisher.stream.slots.nearest(PROCESS_NS + NS // 2))
