"""CFG-3: all fields, fragments, scales, and how it follows from a CFG-2."""

import cmath
import math
from dataclasses import replace

import frame_strategies as strategies
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import samples
from grid import c37118
from grid.c37118.frames import envelope

ANNEX_D = c37118.Configuration.decode(samples.annex_d()["cfg2"])
STAMP = c37118.Stamp(soc=1_149_577_200, count=5, quality=c37118.TimeQuality(code=0))


def station(**fields: object) -> c37118.Station3:
    return c37118.Station3(
        **{
            "name": "Umspannwerk Süd",
            "idcode": 9,
            "format": c37118.Format(float_phasors=False, float_analogs=False),
            "phasors": ("V1",),
            "phasor_units": (c37118.PhasorScale(kind=1, scale=4.0),),
            **fields,
        }
    )


def configuration(*stations: c37118.Station3) -> c37118.Configuration3:
    return c37118.Configuration3(
        idcode=7, stamp=STAMP, time_base=1_000_000, stations=stations, data_rate=50
    )


@given(strategies.configurations3, st.integers(64, 700))
def test_configurations_survive_in_frames_of_any_size(wanted, limit):
    frames = wanted.encode(limit)
    assert all(len(frame) <= limit for frame in frames)
    assert c37118.Configuration3.decode(*frames) == wanted
    assert c37118.Configuration3.decode(*frames).encode(limit) == frames


@given(strategies.configurations3, st.data())
def test_reading_a_changed_cfg3_raises_nothing_else(wanted, data):
    (frame,) = wanted.encode()
    at = data.draw(st.integers(14, len(frame) - 3))
    lie = data.draw(st.binary(min_size=1, max_size=8))
    changed = (frame[:at] + lie + frame[at + len(lie) : -2])[: len(frame) - 2]
    changed += envelope.crc(changed).to_bytes(2, "big")
    try:
        read = c37118.Configuration3.decode(changed)
    except c37118.FrameError:
        return
    # A signalling NaN becomes a quiet one; all else is written as it was read.
    again = c37118.Configuration3.decode(*read.encode())
    assert again.encode() == read.encode()


def test_fields_stand_where_the_standard_puts_them():
    one = station(
        global_id=bytes(range(16)),
        analogs=("P",),
        analog_units=(c37118.AnalogScale(scale=0.5, offset=-1.0),),
        digitals=("Breaker", *[""] * 15),
        digital_units=(c37118.DigitalUnit(normal=1, valid=0xFFFF),),
        latitude_deg=45.0,
        service_class="P",
        window_us=40_000,
        group_delay_us=-1,
    )
    (frame,) = configuration(one).encode()
    name = "Umspannwerk Süd".encode()
    wanted = (
        b"\xaa\x52" + len(frame).to_bytes(2, "big") + b"\x00\x07"
        + STAMP.soc.to_bytes(4, "big") + b"\x00\x00\x00\x05"
        + b"\x00\x00" + (1_000_000).to_bytes(4, "big") + b"\x00\x01"
        + bytes([len(name)]) + name + b"\x00\x09" + bytes(range(16)) + b"\x00\x08"
        + b"\x00\x01\x00\x01\x00\x01"
        + b"\x02V1" + b"\x01P" + b"\x07Breaker" + bytes(15)
        + b"\x00\x00\x01\x00\x40\x80\x00\x00\x00\x00\x00\x00"
        + b"\x3f\x00\x00\x00\xbf\x80\x00\x00"
        + b"\x00\x01\xff\xff"
        + b"\x42\x34\x00\x00" + b"\x7f\x80\x00\x00" * 2 + b"P"
        + (40_000).to_bytes(4, "big") + b"\xff\xff\xff\xff" + b"\x00\x01\x00\x00"
        + b"\x00\x32"
    )  # fmt: skip
    assert frame[:-2] == wanted


def test_a_name_that_is_no_utf_8_is_kept():
    (frame,) = configuration(station(name="ab")).encode()
    changed = frame[:-2].replace(b"\x02ab", b"\x02\xff\xfe")
    changed += envelope.crc(changed).to_bytes(2, "big")
    assert c37118.Configuration3.decode(changed).encode() == (changed,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "x" * 256}, "longer than 255 bytes"),
        ({"name": "\ud800"}, "cannot be written as UTF-8"),
        ({"global_id": b"short"}, "G_PMU_ID has 5 bytes"),
        ({"phasors": ()}, "0 channel names and 1 units"),
        ({"service_class": "MM"}, "not one character"),
        ({"window_us": 2**31}, "does not fit into CFG-3"),
        ({"latitude_deg": 1e39}, "does not fit into CFG-3"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(fields, message):
    with pytest.raises(c37118.FrameError, match=message):
        configuration(station(**fields)).encode()


def fragments(count: int = 4) -> tuple[bytes, ...]:
    return configuration(*[station(idcode=number) for number in range(1, 9)]).encode(
        18 + 8 * 84 // count
    )


def index(frame: bytes) -> int:
    return int.from_bytes(frame[14:16], "big")


def test_a_frame_above_65535_bytes_is_split_by_the_continuation_index():
    many = configuration(
        *[station(idcode=number, phasors=("x" * 255,)) for number in range(1, 400)]
    )
    frames = many.encode()
    assert [index(frame) for frame in frames] == [1, 2, 0xFFFF]
    assert [len(frame) for frame in frames[:-1]] == [65535, 65535]
    assert c37118.Configuration3.decode(*frames) == many


def test_a_missing_or_repeated_fragment_is_refused_and_the_next_series_is_read():
    first, *middle, last = fragments()
    reader = c37118.Fragments()
    assert reader.add(first) is None
    with pytest.raises(c37118.FrameError, match="fragment 3 of a CFG-3 came, and 2 was due"):
        reader.add(middle[1])
    with pytest.raises(c37118.FrameError, match="fragment 65535 of a CFG-3 came, and 1 was due"):
        reader.add(last)
    with pytest.raises(c37118.FrameError, match="fragment 2"):
        c37118.Configuration3.decode(first, middle[0], middle[0], *middle[1:], last)
    with pytest.raises(c37118.FrameError, match="the last frame of the CFG-3 is missing"):
        c37118.Configuration3.decode(first, *middle)
    found = [reader.add(frame) for frame in (first, *middle, last)]
    assert found[-1] is not None
    assert len(found[-1].stations) == 8


def test_scales_and_angles_make_volts():
    unit = c37118.PhasorScale(kind=0x0C, scale=2.5, angle_rad=math.pi / 6)
    assert (unit.is_current, unit.component) == (True, c37118.Component.A)
    for polar, floats in ((False, False), (True, False), (False, True), (True, True)):
        form = c37118.Format(polar=polar, float_phasors=floats, float_analogs=floats)
        where = station(
            format=form,
            phasor_units=(unit,),
            analogs=("P",),
            analog_units=(c37118.AnalogScale(scale=0.5, offset=10.0),),
        )
        measured = c37118.Measurement(
            stat=c37118.Stat(),
            phasors=(cmath.rect(1000.0, 1.0),),
            frequency_hz=50.0,
            rocof_hz_s=0.0,
            analogs=(60.0,),
        )
        block = c37118.write(where, measured)
        first, second = block.phasors[0]
        raw = complex(first, second)
        if polar:
            raw = cmath.rect(first, second if floats else second / 1e4)
        # Transmitted: 1/2.5 of the magnitude, 30 degrees ahead.
        assert raw == pytest.approx(cmath.rect(400.0, 1.0 + math.pi / 6), rel=2e-3)
        assert block.analogs == (100.0,)
        read = c37118.read(where, block)
        assert read.phasors[0] == pytest.approx(measured.phasors[0], rel=3e-3)
        assert read.analogs == (60.0,)


@pytest.mark.parametrize("polar", [False, True])
@pytest.mark.parametrize("angle_rad", [math.inf, math.nan])
def test_an_angle_that_is_no_number_makes_no_value(angle_rad, polar):
    unit = c37118.PhasorScale(kind=1, scale=1.0, angle_rad=angle_rad)
    where = station(format=c37118.Format(polar=polar), phasor_units=(unit,))
    block = c37118.PmuData(stat=c37118.Stat(), phasors=((1.0, 1.0),), frequency=50.0, rocof=0.0)
    measured = c37118.read(where, block)
    assert cmath.isnan(measured.phasors[0])
    assert math.isnan(c37118.write(where, measured).phasors[0][0])


def test_data_are_read_alike_with_a_cfg_2_and_the_cfg_3_made_of_it():
    made = c37118.Configuration3.of(ANNEX_D)
    frame = samples.annex_d()["data"]
    data, data3 = c37118.DataCodec(ANNEX_D).decode(frame), c37118.DataCodec(made).decode(frame)
    assert data == data3
    one, other = (
        c37118.read(stations[0], data.pmus[0]) for stations in (ANNEX_D.stations, made.stations)
    )
    assert other.phasors == pytest.approx(one.phasors)
    assert (other.frequency_hz, other.digitals) == (one.frequency_hz, one.digitals)
    kinds = [(unit.is_current, unit.component) for unit in made.stations[0].phasor_units]
    assert kinds[:3] == [
        (False, c37118.Component.A), (False, c37118.Component.B), (False, c37118.Component.C),
    ]  # fmt: skip
    assert kinds[3][0]


def test_configurations_are_compared_without_their_time():
    one = c37118.Configuration3.of(ANNEX_D)
    assert one.same(replace(one, stamp=STAMP))
    assert not one.same(replace(one, data_rate=1))
    assert not one.same(ANNEX_D)
    assert ANNEX_D.same(replace(ANNEX_D, stamp=STAMP))
