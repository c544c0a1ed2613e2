"""Physical units, absent values and the limits of integers."""

import cmath
import itertools
import math

import pytest

from grid import c37118

FORMATS = [
    c37118.Format(polar=a, float_phasors=b, float_analogs=c, float_frequency=d)
    for a, b, c, d in itertools.product((False, True), repeat=4)
]


def station(form: c37118.Format) -> c37118.Station:
    return c37118.Station(
        name="S",
        idcode=1,
        format=form,
        phasors=("VA", "IA"),
        phasor_units=(
            c37118.PhasorUnit(kind=0, factor=c37118.unit_factor(150_000)),
            c37118.PhasorUnit(kind=1, factor=c37118.unit_factor(1_000)),
        ),
        analogs=("P",),
        analog_units=(c37118.AnalogUnit(kind=1, factor=1),),
        digitals=("",) * 16,
        digital_units=(c37118.DigitalUnit(normal=0, valid=0xFFFF),),
    )


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_a_measurement_survives_within_the_resolution_of_its_format(form):
    measured = c37118.Measurement(
        stat=c37118.Stat(time_quality=4),
        phasors=(cmath.rect(76_210, -2.5), cmath.rect(400, 3.1)),
        frequency_hz=49.987,
        rocof_hz_s=-0.12,
        analogs=(1234.0,),
        digitals=(0xBEEF,),
    )
    where = station(form)
    codec = c37118.BlockCodec(where)
    read = c37118.read(where, codec.decode(codec.encode(c37118.write(where, measured))))
    assert read.stat == measured.stat
    for got, want, step in zip(read.phasors, measured.phasors, (150_000, 1_000), strict=True):
        assert abs(got - want) < step / 32767 + abs(want) * 1e-4
    assert read.frequency_hz == pytest.approx(49.987, abs=1e-4)
    assert read.rocof_hz_s == pytest.approx(-0.12, abs=1e-6)
    assert (read.analogs, read.digitals) == ((1234.0,), (0xBEEF,))


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_an_absent_pmu_says_so_in_every_format(form):
    where = station(form)
    codec = c37118.BlockCodec(where)
    block = codec.encode(c37118.absent(where))
    read = c37118.read(where, codec.decode(block))
    assert read.stat.data_error is c37118.DataError.ABSENT
    assert not read.stat.synchronized
    assert all(cmath.isnan(phasor) for phasor in read.phasors)
    assert math.isnan(read.frequency_hz)
    assert math.isnan(read.rocof_hz_s)
    assert all(math.isnan(value) for value in read.analogs)
    assert read.digitals == (0,)
    if not (form.float_phasors or form.float_frequency or form.float_analogs):
        assert block[2:-2] == b"\x80\x00" * ((len(block) - 4) // 2)


def test_polar_angles_count_in_1e_4_rad():
    form = c37118.Format(polar=True, float_phasors=False)
    where = station(form)
    phasors = (cmath.rect(1000, math.pi), cmath.rect(10, -math.pi + 1e-9))
    block = c37118.write(
        where,
        c37118.Measurement(
            stat=c37118.Stat(), phasors=phasors, frequency_hz=50, rocof_hz_s=0, analogs=(0,),
            digitals=(0,),
        ),
    )  # fmt: skip
    assert [angle for _, angle in block.phasors] == [31416, -31416]


def test_integers_saturate():
    form = c37118.Format(float_phasors=False, float_frequency=False, float_analogs=False)
    where = station(form)
    block = c37118.write(
        where,
        c37118.Measurement(
            stat=c37118.Stat(),
            phasors=(complex(1e9, -1e9), complex(0, math.inf)),
            frequency_hz=200.0,
            rocof_hz_s=-1e6,
            analogs=(1e6,),
            digitals=(0,),
        ),
    )
    assert block.phasors == ((32767, -32767), (0, 32767))
    assert (block.frequency, block.rocof, block.analogs) == (32767, -32767, (32767,))


def test_an_infinite_polar_phasor_has_no_value():
    form = c37118.Format(polar=True)
    where = station(form)
    data = c37118.PmuData(
        stat=c37118.Stat(), phasors=((math.inf, 1.0), (1.0, math.nan)), frequency=50, rocof=0,
        analogs=(0,), digitals=(0,),
    )  # fmt: skip
    assert all(cmath.isnan(phasor) for phasor in c37118.read(where, data).phasors)


def test_a_leap_second_is_announced_bit_by_bit():
    quality = c37118.TimeQuality(code=0, leap_pending=True, leap_delete=True)
    assert quality.to_byte() == 0b0101_0000
    stamp = c37118.Stamp(soc=1, count=2, quality=quality)
    assert stamp.words() == (1, 0x50000002)


def test_a_rate_below_zero_is_seconds_a_frame():
    configuration = c37118.Configuration(
        idcode=1,
        stamp=c37118.Stamp(soc=0, count=0, quality=c37118.TimeQuality(code=0)),
        time_base=1_000_000,
        stations=(),
        data_rate=-5,
    )
    frame = configuration.encode()
    assert frame[-4:-2] == b"\xff\xfb"
    assert c37118.Configuration.decode(frame).frames_per_second == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("idcode", 70000, "IDCODE 70000"),
        ("data_rate", 40000, "DATA_RATE 40000"),
        ("time_base", 0, "TIME_BASE 0"),
        ("version", 3, "version 3"),
        ("type", c37118.FrameType.CFG3, "not CFG3"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(field, value, message):
    fields = {
        "idcode": 1,
        "stamp": c37118.Stamp(soc=0, count=0, quality=c37118.TimeQuality(code=0)),
        "time_base": 1_000_000,
        "stations": (),
        "data_rate": 50,
        field: value,
    }
    with pytest.raises(c37118.FrameError, match=message):
        c37118.Configuration(**fields).encode()
