"""What people read when a topology changes."""

from grid.pdc.topology import document
from grid.pdc.topology.changes import changes

BEFORE = """
stream: {name: pdc, idcode: 10}
inputs:
  - {name: pmu-1, host: a, idcode: 1, phasors: [VA, IA]}
  - {name: pmu-2, host: b, idcode: 2, phasors: [VA]}
  - name: area
    host: c
    idcode: 9
    pmus: [{name: pmu-7, idcode: 7, phasors: [VA]}, {name: pmu-8, idcode: 8, phasors: [VA]}]
"""
AFTER = """
stream: {name: pdc, idcode: 10, lag_time_s: 0.5}
inputs:
  - name: area
    host: c
    idcode: 9
    pmus: [{name: pmu-7, idcode: 7, phasors: [VB]}, {name: pmu-9, idcode: 9, phasors: [VA]}]
  - {name: pmu-1, host: a, port: 4800, idcode: 1, phasors: [VA, IA]}
  - {name: pmu-3, host: b, idcode: 3, phasors: [VA]}
mqtt: {host: broker}
"""


def test_every_difference_has_a_line():
    lines = changes(document.loads(BEFORE), document.loads(AFTER))
    assert [line for line in lines if "mqtt" not in line] == [
        "~ stream: lag_time_s 0.2 -> 0.5",
        "- input pmu-2",
        "- input area: PMU pmu-8",
        "~ input area: PMU pmu-7: phasors [VA] -> [VB]",
        "+ input area: PMU pmu-9",
        "~ input pmu-1: port 4712 -> 4800",
        "+ input pmu-3",
        "~ order of inputs: area, pmu-1, pmu-3",
    ]
    assert "+ mqtt: host broker" in lines


def test_what_is_the_same_has_none():
    assert changes(document.loads(BEFORE), document.loads(BEFORE)) == []


def test_without_anything_before_everything_is_new():
    lines = changes(None, document.loads(BEFORE))
    assert "+ stream: idcode 10" in lines
    assert lines[-3:] == ["+ input pmu-1", "+ input pmu-2", "+ input area with PMUs pmu-7, pmu-8"]
