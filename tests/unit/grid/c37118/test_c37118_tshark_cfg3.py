"""What Wireshark reads in CFG-3, in datagrams, and over IPv6."""

import cmath
import math
import re
from pathlib import Path

import pytest
import tshark_judge

from grid import c37118

NOW = c37118.Stamp(soc=1_700_000_000, count=250_000, quality=c37118.TimeQuality(code=4))


def command(what: int, extended: bytes = b"") -> tuple[bool, bytes]:
    frame = c37118.CommandFrame(idcode=7, stamp=NOW, command=what, extended=extended)
    return False, frame.encode()


def station(idcode: int, *, words: int = 0) -> c37118.Station3:
    return c37118.Station3(
        name=f"Station {idcode}",
        idcode=idcode,
        format=c37118.Format(float_phasors=False, float_analogs=False, float_frequency=False),
        phasors=("VA", "I+"),
        phasor_units=(
            c37118.PhasorScale(kind=4, scale=3.0),
            c37118.PhasorScale(kind=9, scale=0.5, angle_rad=0.25, modifications=0x0200),
        ),
        analogs=("P",),
        analog_units=(c37118.AnalogScale(scale=2.0, offset=1.0),),
        digitals=tuple(f"D{word}.{bit}" for word in range(words) for bit in range(16)),
        digital_units=(c37118.DigitalUnit(normal=0, valid=0xFFFF),) * words,
        latitude_deg=41.5,
        longitude_deg=12.25,
        elevation_m=20.0,
        service_class="P",
        window_us=40_000,
        group_delay_us=20_000,
        change_count=3,
    )


def configuration(*stations: c37118.Station3) -> c37118.Configuration3:
    return c37118.Configuration3(
        idcode=7, stamp=NOW, time_base=1_000_000, stations=stations, data_rate=-2
    )


def data(sent: c37118.Configuration3) -> bytes:
    measured = c37118.Measurement(
        stat=c37118.Stat(),
        phasors=(cmath.rect(60_000, 0.5), cmath.rect(300, -1.0)),
        frequency_hz=50.02,
        rocof_hz_s=0.1,
        analogs=(201.0,),
    )
    blocks = tuple(
        c37118.write(station, measured)._replace(digitals=(0xBEEF,) * len(station.digital_units))
        for station in sent.stations
    )
    return c37118.DataCodec(sent).encode(c37118.DataFrame(7, NOW, blocks))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("udp", [False, True])
def test_tshark_reads_cfg_3_and_the_data_behind_it(tmp_path: Path, udp, version):
    sent = configuration(station(1), station(2))
    (frame,) = sent.encode()
    capture = tmp_path / "cfg3.pcap"
    verdict = tshark_judge.judge(
        capture,
        [command(6), (True, frame), command(2), (True, data(sent))],
        [
            "synphasor.conf.contindx", "synphasor.station_name", "synphasor.conf.chnam",
            "synphasor.conf.phasor_scale_factor", "synphasor.conf.phasor_angle_offset",
            "synphasor.conf.pmu_latitude", "synphasor.conf.cfgcnt",
        ],
        udp=udp,
        version=version,
    )  # fmt: skip
    verdict.assert_flawless(4)
    fields = [*verdict.fields.values()]
    assert fields[0] == ["0"]
    assert fields[1] == ["Station 1", "Station 2"]
    assert fields[2] == ["VA", "I+", "P"] * 2
    assert [float(text) for text in fields[3]] == [3.0, 0.5] * 2
    assert [float(text) for text in fields[4]] == [0.0, 0.25] * 2
    assert [float(text) for text in fields[5]] == [41.5] * 2
    assert fields[6] == ["3", "3"]
    found = re.findall(
        r"Phasor #\d+: .*?, +([\d.]+)[VA] ∠ *(-?[\d.]+)°", tshark_judge.details(capture)
    )
    wanted = [(60_000, math.degrees(0.5)), (300, math.degrees(-1.0))] * 2
    for (magnitude, angle), (volts, degrees) in zip(found, wanted, strict=True):
        assert float(magnitude) == pytest.approx(volts, rel=1e-3)
        assert float(angle) == pytest.approx(degrees, abs=0.1)


def test_tshark_reads_sixteen_digital_names_a_word(tmp_path: Path):
    """It reads as the standard's text says, and so the fields behind the names as well."""
    sent = configuration(station(1, words=2))
    (frame,) = sent.encode()
    verdict = tshark_judge.judge(
        tmp_path / "digitals.pcap",
        [command(6), (True, frame), (True, data(sent))],
        ["synphasor.conf.chnam", "synphasor.conf.pmu_latitude", "synphasor.digital_status_word"],
    )
    verdict.assert_flawless(3)
    names, latitudes, words = verdict.fields.values()
    assert names[3:] == [f"D{word}.{bit}" for word in range(2) for bit in range(16)]
    assert [float(text) for text in latitudes] == [41.5]
    assert [int(text, 0) for text in words] == [0xBEEF, 0xBEEF]


@pytest.mark.parametrize("udp", [False, True])
def test_tshark_finds_every_fragment_sound_though_it_does_not_join_them(tmp_path: Path, udp):
    frames = configuration(*[station(number) for number in range(1, 30)]).encode(700)
    assert len(frames) > 3
    capture = tmp_path / "fragments.pcap"
    verdict = tshark_judge.judge(
        capture,
        [command(6), *[(True, frame) for frame in frames]],
        ["synphasor.conf.chnam", "synphasor.conf.pmu_latitude"],
        udp=udp,
    )
    verdict.assert_flawless(1 + len(frames))
    # Newer versions cut the words for it off behind the frame's bytes; what is joined has names.
    assert [*verdict.fields.values()] == [[], []]
    assert tshark_judge.details(capture).count("Configuration Frame 3 [correct]") == len(frames)


# Table 15 of the standard says 0 to 65518 bytes, but 65517 is all that FRAMESIZE allows.
@pytest.mark.parametrize("size", [0, 2, 65516])
def test_tshark_reads_the_extended_command(tmp_path: Path, size):
    sent = command(8, bytes(size))
    verdict = tshark_judge.judge(
        tmp_path / "extended.pcap", [sent], ["synphasor.command", "synphasor.extended_frame_data"]
    )
    verdict.assert_flawless(1)
    read = c37118.CommandFrame.decode(sent[1])
    assert (read.command, read.extended) == (c37118.Command.EXTENDED, bytes(size))
    with pytest.raises(c37118.FrameError, match="exceeds"):
        command(8, bytes(65518))
