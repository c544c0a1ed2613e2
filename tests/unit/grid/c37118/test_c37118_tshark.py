"""Wireshark agrees with every frame of this codec, and with the values in it."""

import cmath
import itertools
import math
import re
from pathlib import Path

import pytest
import tshark_judge

from grid import c37118

NOW = c37118.Stamp(soc=1_700_000_000, count=250_000, quality=c37118.TimeQuality(code=4))
COMBINATIONS = list(itertools.product((False, True), repeat=4))


def command(what: int, version: int = 2) -> tuple[bool, bytes]:
    frame = c37118.CommandFrame(idcode=7, stamp=NOW, command=what, version=version)
    return False, frame.encode()


def configuration(version: int) -> c37118.Configuration:
    """Return a stream of 16 PMUs, one for each FORMAT."""
    return c37118.Configuration(
        idcode=7,
        stamp=NOW,
        time_base=1_000_000,
        stations=tuple(
            c37118.Station(
                name=f"PMU {index}",
                idcode=100 + index,
                format=c37118.Format(
                    polar=polar, float_phasors=phasors, float_analogs=analogs,
                    float_frequency=frequency,
                ),
                phasors=("VA", "IA"),
                phasor_units=(
                    c37118.PhasorUnit(kind=0, factor=c37118.unit_factor(150_000)),
                    c37118.PhasorUnit(kind=1, factor=c37118.unit_factor(1_000)),
                ),
                analogs=("P",),
                analog_units=(c37118.AnalogUnit(kind=1, factor=-3),),
                digitals=tuple(f"D{bit}" for bit in range(16)),
                digital_units=(c37118.DigitalUnit(normal=1, valid=0xFFFF),),
            )
            for index, (polar, phasors, analogs, frequency) in enumerate(COMBINATIONS)
        ),
        data_rate=50,
        version=version,
    )  # fmt: skip


def measured(index: int) -> c37118.Measurement:
    return c37118.Measurement(
        stat=c37118.Stat(time_quality=4),
        phasors=(cmath.rect(70_000 + index, 0.1 * index), cmath.rect(300, -0.1 * index)),
        frequency_hz=50 + index / 100,
        rocof_hz_s=index / 10,
        analogs=(float(index),),
        digitals=(index,),
    )


@pytest.mark.parametrize("udp", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_tshark_reads_every_format_as_this_codec_means_it(tmp_path: Path, version: int, udp: bool):
    sent = configuration(version)
    data = c37118.DataFrame(
        idcode=7,
        stamp=NOW,
        pmus=tuple(
            c37118.write(station, measured(index)) for index, station in enumerate(sent.stations)
        ),
        version=version,
    )
    frame = c37118.DataCodec(sent).encode(data)
    capture = tmp_path / "formats.pcap"
    verdict = tshark_judge.judge(
        capture,
        [command(5, version), (True, sent.encode()), command(2, version), (True, frame)],
        [
            "synphasor.actual_frequency_value",
            "synphasor.frequency_deviation_from_nominal",
            "synphasor.rate_change_frequency",
            "synphasor.digital_status_word",
        ],
        udp=udp,
    )
    verdict.assert_flawless(4)
    actual, deviations, rocofs, digitals = verdict.fields.values()
    floats = [index for index in range(16) if COMBINATIONS[index][3]]
    integers = [index for index in range(16) if not COMBINATIONS[index][3]]
    assert [float(text) for text in actual] == [50 + index / 100 for index in floats]
    assert [int(text) for text in deviations] == [10 * index for index in integers]
    assert [float(text) for text in rocofs] == [index / 10 for index in range(16)]
    assert [int(text, 16) for text in digitals] == [*range(16)]
    assert_same_phasors(tshark_judge.details(capture))


def assert_same_phasors(details: str) -> None:
    found = re.findall(r"Phasor #\d+: .*?, +([\d.]+)[VA] ∠ *(-?[\d.]+)°", details)
    wanted = [value for index in range(16) for value in measured(index).phasors]
    assert len(found) == len(wanted)
    for (magnitude, angle), want, largest in zip(found, wanted, [150_000, 1_000] * 16, strict=True):
        got = cmath.rect(float(magnitude), math.radians(float(angle)))
        assert abs(got - want) < largest / 32767 + 2e-4 * abs(want)


def test_tshark_finds_no_fault_in_segments_of_any_size(tmp_path: Path):
    sent = configuration(2)
    codec = c37118.DataCodec(sent)
    header = c37118.HeaderFrame(idcode=7, stamp=NOW, text="sixteen PMUs")
    frames = [header.encode(), sent.encode()]
    for slot in range(100):
        stamp = c37118.Stamp.from_ns(slot * 20_000_000, sent.time_base, NOW.quality)
        absent = tuple(map(c37118.absent, sent.stations))
        frames.append(codec.encode(c37118.DataFrame(idcode=7, stamp=stamp, pmus=absent)))
    stream, sizes = b"".join(frames), itertools.cycle([1, 13, 700, 1399, 416, 2])
    segments = [command(3), command(5), command(2)]
    while stream:
        size = next(sizes)
        segments.append((True, stream[:size]))
        stream = stream[size:]
    tshark_judge.judge(tmp_path / "segments.pcap", segments).assert_flawless(3 + len(frames))


def test_the_judge_does_judge(tmp_path: Path):
    sent = configuration(2)
    bad_crc = sent.encode()[:-1] + bytes([sent.encode()[-1] ^ 1])
    verdict = tshark_judge.judge(tmp_path / "bad.pcap", [command(5), (True, bad_crc)])
    assert (verdict.frames, verdict.good) == (2, 1)
