"""Set-up files of iPDC's simulator."""

from pathlib import Path

import pytest

from grid import c37118
from grid.documents.document_error import DocumentError
from grid.pmu.scenario import document, ipdc, ipdc_writer
from grid.pmu.scenario.model import PHASORS, Scenario, SimulatedPmu
from grid.pmu.scenario.pmu_channels import Analog, PmuChannels
from grid.pmu.signals.signal import LineLevel
from grid.pmu.simulator import Simulator

VECTORS = Path(__file__).parents[3] / "data" / "synchrophasor" / "vectors"
FILES = [VECTORS / f"fluidos-pmu-{number}.bin" for number in (1, 2, 3)]
PREAMBLE = b"15000\n4712\nCFG 1 134\n"
SLOT = 1_700_000_000 * 25


def simulated(path: Path):
    (publisher,) = Simulator(Scenario(pmus=(ipdc.pmu(ipdc.read(path)),))).publishers
    return publisher.stream


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_stream_is_configured_as_the_file_says(path):
    setup = ipdc.read(path)
    assert (setup.udp_port, setup.tcp_port) == (15000, 4712)
    sent = c37118.Configuration.decode(simulated(path).answer(c37118.Command.SEND_CFG2))
    there = c37118.Configuration.decode(path.read_bytes()[len(PREAMBLE) :][:134])
    assert sent.same(there)
    assert sent.data_rate == 25
    assert sent.time_base == 16777215


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_signals_are_three_phases_that_its_integers_can_show(path):
    stream = simulated(path)
    configuration = stream.configuration(1_700_000_000 * 1_000_000_000)
    data = c37118.DataCodec(configuration).decode(stream.frame(SLOT + 3))
    assert data.stamp.fraction(configuration.time_base) == pytest.approx(3 / 25, abs=1e-7)
    seen = c37118.read(configuration.stations[0], data.pmus[0])
    assert abs(sum(seen.phasors)) < 1e-3 * abs(seen.phasors[0])
    assert all(abs(part) < 32767 for pair in data.pmus[0].phasors for part in pair)
    assert abs(data.pmus[0].phasors[0][0] + 1j * data.pmus[0].phasors[0][1]) > 10_000
    assert seen.frequency_hz == pytest.approx(50, abs=0.03)


def test_a_header_is_sent_as_it_stands_in_the_file(tmp_path):
    stamp = c37118.Stamp(soc=1, count=0, quality=c37118.TimeQuality(code=0))
    header = c37118.HeaderFrame(idcode=1, stamp=stamp, text="hello", version=1).encode()
    path = tmp_path / "pmu.bin"
    path.write_bytes(FILES[0].read_bytes()[:-4] + b"HDR 1 %d\n" % len(header) + header + b"\n")
    answer = simulated(path).answer(c37118.Command.SEND_HEADER)
    assert c37118.HeaderFrame.decode(answer).text == "hello"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the first two lines"),
        (b"15000\n\xff\n", "the first two lines"),
        (b"15000\n4712\n", "a line `CFG n SIZE` is missing"),
        (PREAMBLE + b"\xaa1", "the CFG frame has 2 of 134 bytes"),
        (PREAMBLE + bytes(134), "SYNC 0000"),
        (PREAMBLE + FILES[0].read_bytes()[21:154] + b"\0", "CRC"),
    ],
)
def test_a_file_that_is_none_of_ipdcs_is_refused_with_the_place(tmp_path, data, message):
    path = tmp_path / "pmu.bin"
    path.write_bytes(data)
    with pytest.raises(DocumentError, match=message):
        ipdc.read(path)


@pytest.mark.parametrize("name", ["pmu-1", "pmu-2", "pmu-3"])
def test_a_set_up_is_written_of_the_description_of_a_pmu(tmp_path, name):
    path = tmp_path / "pmu.bin"
    (pmu,) = (one for one in document.load("two-area").pmus if one.name == name)
    path.write_bytes(ipdc_writer.encode(ipdc_writer.setup(pmu, udp_port=15000, tcp_port=4712)))
    setup = ipdc.read(path)
    assert (setup.udp_port, setup.tcp_port, setup.header) == (15000, 4712, "")
    configuration = setup.configuration
    (station,) = configuration.stations
    ours = pmu.channels.station
    assert (configuration.idcode, configuration.data_rate) == (pmu.idcode, pmu.rate)
    assert (station.name, station.idcode) == (ours.name, ours.idcode)
    assert (station.phasors, station.phasor_units) == (ours.phasors, ours.phasor_units)
    # What iPDC's simulator sends: 2005's frames, integers, fractions in 1/2^24 s.
    assert (configuration.version, station.format.to_word()) == (1, 0)
    assert 2**24 / configuration.time_base == pytest.approx(1, abs=1e-7)


def test_it_begins_as_the_files_of_the_demo_do():
    (pmu,) = (one for one in document.load("two-area").pmus if one.name == "pmu-1")
    content = ipdc_writer.encode(ipdc_writer.setup(pmu, udp_port=15000, tcp_port=4712))
    assert content[: len(PREAMBLE)] == PREAMBLE.replace(b"134", b"174")
    # SYNC of a CFG-2 of 2005, its size, the id.
    assert content[len(PREAMBLE) :][:6] == b"\xaa\x31\x00\xae\x00\x01"
    assert content.endswith(b"\nHDR 0 0\n")


@pytest.mark.parametrize(
    ("rate", "count", "analogs", "digitals", "message"),
    [
        (-5, 6, 0, 0, "a frame each 5 s"),
        (50, 60, 0, 0, "room for 50 phasors and 50 analog values"),
        (50, 6, 51, 0, "room for 50 phasors and 50 analog values"),
        (50, 6, 0, 20, "bytes, of 4999 at most"),
    ],
)
def test_a_pmu_that_it_cannot_be_is_refused(rate, count, analogs, digitals, message):
    channels = PmuChannels.scaled(
        name="big",
        idcode=1,
        form=c37118.Format(),
        nominal_hz=50,
        level=LineLevel(),
        phasors=(PHASORS * 10)[:count],
        analogs=[Analog(label="P", quantity="P")] * analogs,
        digitals=[["breaker"]] * digitals,
    )
    pmu = SimulatedPmu(channels=channels, rate=rate)
    with pytest.raises(c37118.FrameError, match=message):
        ipdc_writer.encode(ipdc_writer.setup(pmu, udp_port=15000, tcp_port=4712))
