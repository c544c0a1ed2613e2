"""The YAML that people write."""

import pytest
import yaml

from grid.documents.channels import Phasor
from grid.documents.document_error import DocumentError
from grid.pdc.topology import document
from grid.pdc.topology.cache import TopologyCache

FULL = """
node: area
stream: {name: pdc, idcode: 10, port: 4713, rate: 25, nominal_hz: 60, format: int,
         coordinates: polar, lag_time_s: 0.5}
inputs:
  - {name: pmu-1, host: pmu-1, idcode: 1, silence_s: 2, phasors: [VA, I0, V+]}
  - name: area-2
    host: 2001:db8::7
    port: 4799
    idcode: 11
    retry_s: 0.5
    pmus:
      - name: pmu-7
        idcode: 7
        phasors: [{label: Line 4, type: I, phase: 0}]
        analogs: [Power, Temperature]
        digitals: [[Breaker 1, Breaker 2], [Door]]
"""


def test_all_of_a_document_is_understood():
    topology = document.loads(FULL)
    stream = topology.stream
    assert (topology.node, stream.name, stream.idcode, stream.address.port) == (
        "area",
        "pdc",
        10,
        4713,
    )
    assert (stream.rate, stream.nominal_hz, stream.lag_time_s) == (25, 60, 0.5)
    assert (stream.float_format, stream.polar) == (False, True)
    pmu, area = topology.inputs
    assert (pmu.concentrator, pmu.address.port, pmu.silence_s, pmu.retry_s) == (
        False,
        4712,
        2.0,
        1.0,
    )
    assert pmu.pmus[0].phasors[1:] == (
        Phasor(label="I0", type="I", phase="0"),
        Phasor(label="V+", type="V", phase="+"),
    )
    assert (area.concentrator, area.address.host, area.address.port, area.idcode) == (
        True,
        "2001:db8::7",
        4799,
        11,
    )
    assert area.pmus[0].phasors == (Phasor(label="Line 4", type="I", phase="0"),)
    assert area.pmus[0].digitals == (("Breaker 1", "Breaker 2"), ("Door",))
    assert [entry.name for entry in topology.pmus] == ["pmu-1", "pmu-7"]


def test_what_is_printed_is_read_back():
    topology = document.loads(FULL)
    assert document.loads(document.dumps(topology)) == topology


def test_the_node_is_named_after_the_stream():
    shortened = yaml.safe_load(FULL)
    del shortened["node"]
    assert document.from_document(shortened).node == "pdc"


BAD = """
stream: {name: a name of more than 16, idcode: 0, format: double, speed: 3}
inputs:
  - {name: one, host: "h;x=1", idcode: 1, phasors: [VA, X]}
  - {name: two, host: h, idcode: 70000, phasors: [VA], pmus: []}
  - {name: three, host: h, idcode: yes, silence_s: 0, phasors: VA}
  - 7
"""


def test_all_mistakes_are_said_at_once():
    with pytest.raises(DocumentError) as caught:
        document.loads(BAD)
    problems = "\n".join(caught.value.problems)
    for part in (
        "stream.name: 'a name of more than 16' is not 1 to 16",
        "stream.idcode: 0 is no whole number within 1..65534",
        "stream.format: 'double' is none of float, int",
        "stream: unknown speed; known are",
        "inputs[0]: host is missing or no host name",
        "inputs[0].phasors[1]: 'X' does not say type and phase",
        "inputs[1].idcode: 70000",
        "inputs[1]: an input with pmus has its channels there",
        "inputs[2].idcode: True",
        "inputs[2].silence_s: 0 is no number of seconds",
        "inputs[2].phasors: a list is expected",
        "inputs[3]: keys and values are expected",
    ):
        assert part in problems


def test_double_names_and_ids_are_refused():
    double = """
stream: {name: pdc, idcode: 10}
inputs:
  - {name: a, host: h, idcode: 1, phasors: [VA]}
  - {name: A, host: h, idcode: 1, phasors: [VA]}
"""
    with pytest.raises(DocumentError) as caught:
        document.loads(double)
    assert caught.value.problems == [
        "inputs: name A stands there twice",
        "inputs: PMU idcode 1 stands there twice: give one an output_idcode",
    ]


@pytest.mark.parametrize("text", ["", "[]", "a: [", "3", "stream: 1\ninputs: 2", "\x00"])
def test_what_is_no_topology_is_refused(text):
    with pytest.raises(DocumentError):
        document.loads(text)


def test_an_input_is_needed():
    with pytest.raises(DocumentError, match="there is none"):
        document.loads("stream: {name: pdc, idcode: 1}\ninputs: []")


def test_the_cache_keeps_a_topology(tmp_path):
    cache = TopologyCache(tmp_path / "new" / "config.json")
    assert cache.load() is None
    topology = document.loads(FULL)
    cache.save(topology)
    kept = cache.load()
    assert kept is not None
    assert kept[0] == topology
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"saved": 1}', '{"saved": 1, "topology": {"stream": 3}}', "\xff"]
)
def test_a_damaged_cache_is_no_cache(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_bytes(content.encode("latin-1"))
    assert TopologyCache(path).load() is None
