"""What others wrote is read as they meant it, and written back to the same bytes."""

import cmath
import itertools
import math

import frame_strategies as strategies
import pytest

from fuzz import samples
from grid import c37118
from grid.c37118.frames import envelope

ANNEX_D = samples.annex_d()
CAPTURES = samples.captures()
FLUIDOS = samples.fluidos()


def test_crc_has_the_check_value_of_crc_16_ibm_3740():
    assert envelope.crc(b"123456789") == 0x29B1


@pytest.mark.parametrize("name", ANNEX_D)
def test_annex_d_frames_are_identical_after_decode_and_encode(name):
    codec = None
    if name.startswith("data"):
        configuration = ANNEX_D[name.replace("data", "cfg2")]
        codec = c37118.DataCodec(c37118.Configuration.decode(configuration))
    assert strategies.recode(ANNEX_D[name], codec) == ANNEX_D[name]


def test_annex_d_configuration_says_what_the_standard_says():
    configuration = c37118.Configuration.decode(ANNEX_D["cfg2"])
    assert (configuration.idcode, configuration.time_base, configuration.data_rate) == (
        7734,
        1_000_000,
        30,
    )
    assert configuration.version == c37118.VERSION_2005
    assert configuration.stamp.soc == 1149577200
    assert configuration.stamp.fraction(configuration.time_base) == pytest.approx(0.463)
    quality = configuration.stamp.quality
    # Leap second deleted or added is bit 30, occurred 29, pending 28; 0x56 is 0101 0110.
    assert (quality.leap_delete, quality.leap_occurred, quality.leap_pending) == (True, False, True)
    assert quality.code == 6
    (station,) = configuration.stations
    assert (station.name, station.idcode, station.nominal_hz) == ("Station A", 7734, 60.0)
    assert station.format == c37118.Format(
        polar=False, float_phasors=False, float_analogs=True, float_frequency=False
    )
    assert station.phasors == ("VA", "VB", "VC", "I1")
    assert [unit.kind for unit in station.phasor_units] == [0, 0, 0, 1]
    assert station.phasor_units[0].scale == pytest.approx(9.15527)
    assert station.analogs == ("ANALOG1", "ANALOG2", "ANALOG3")
    assert [unit.kind for unit in station.analog_units] == [0, 1, 2]
    assert station.digitals[0] == "BREAKER 1 STATUS"
    assert station.digitals[15] == "BREAKER G STATUS"
    assert station.change_count == 22


def test_annex_d_data_say_what_the_standard_says():
    configuration = c37118.Configuration.decode(ANNEX_D["cfg2"])
    frame = c37118.DataCodec(configuration).decode(ANNEX_D["data"])
    assert frame.stamp.soc == 1149580800
    assert frame.stamp.fraction(configuration.time_base) == pytest.approx(0.016817)
    measurement = c37118.read(configuration.stations[0], frame.pmus[0])
    assert measurement.stat == c37118.Stat()
    magnitudes = [abs(phasor) for phasor in measurement.phasors]
    # The standard's example is 134.0 kV per phase and 500 A.
    assert magnitudes[:3] == pytest.approx([134_000] * 3, rel=1e-3)
    assert magnitudes[3] == pytest.approx(500, rel=1e-3)
    angles = [math.degrees(cmath.phase(phasor)) for phasor in measurement.phasors]
    assert angles == pytest.approx([0, -120, 120, 0], abs=0.01)
    assert measurement.frequency_hz == pytest.approx(62.5)
    assert measurement.rocof_hz_s == 0
    assert measurement.analogs == (100.0, 1000.0, 10000.0)
    assert measurement.digitals == (0x3C12,)


def test_annex_d_command_and_header():
    command = c37118.CommandFrame.decode(ANNEX_D["command"])
    assert (command.idcode, command.command) == (7734, c37118.Command.DATA_ON)
    assert command.stamp.quality.code == c37118.UNRELIABLE
    header = c37118.HeaderFrame.decode(ANNEX_D["header"])
    assert header.text == "Hello I'm Header Frame."


@pytest.mark.parametrize("name", FLUIDOS)
def test_fluidos_configurations_are_identical_and_count_time_in_24_bits(name):
    configuration = c37118.Configuration.decode(FLUIDOS[name])
    assert configuration.encode() == FLUIDOS[name]
    assert configuration.time_base == 0xFFFFFF
    # More than 23 bits of the count are in use, where pypmu cuts it off.
    assert 0 <= configuration.stamp.fraction(configuration.time_base) < 1
    assert configuration.frames_per_second == 25
    assert configuration.stations[0].name == name.removeprefix("fluidos-")


@pytest.mark.parametrize("name", CAPTURES)
def test_captured_frames_are_identical_after_decode_and_encode(name):
    codec, kinds = None, []
    for frame in CAPTURES[name]:
        kind = c37118.frame_type(frame)
        kinds.append(kind)
        if kind is c37118.FrameType.CFG2:
            codec = c37118.DataCodec(c37118.Configuration.decode(frame))
        assert strategies.recode(frame, codec) == frame
    assert kinds[:3] == [c37118.FrameType.COMMAND, c37118.FrameType.CFG2, c37118.FrameType.COMMAND]
    assert c37118.FrameType.DATA in kinds


def test_captured_stream_is_complete_and_plausible():
    frames = CAPTURES["C37.118_1PMU_TCP"]
    configuration = c37118.Configuration.decode(frames[1])
    codec = c37118.DataCodec(configuration)
    data = [
        codec.decode(frame) for frame in frames if c37118.frame_type(frame) is c37118.FrameType.DATA
    ]
    assert len(data) > 200
    times = [frame.stamp.ns(configuration.time_base) for frame in data]
    period = 1e9 / configuration.frames_per_second
    assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx(
        [period] * (len(times) - 1), rel=1e-3
    )
    first = c37118.read(configuration.stations[0], data[0].pmus[0])
    assert first.frequency_hz == pytest.approx(configuration.stations[0].nominal_hz, abs=0.5)


@pytest.mark.parametrize("name", ["cfg2", "data", "header", "command"])
def test_every_flipped_bit_is_found(name):
    frame = ANNEX_D[name]
    codec = c37118.DataCodec(c37118.Configuration.decode(ANNEX_D["cfg2"]))
    for bit in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(c37118.FrameError):
            strategies.recode(bytes(damaged), codec)
