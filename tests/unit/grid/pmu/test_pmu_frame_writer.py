"""Frames that are packed at once equal those of the codec."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import c37118
from grid.pmu.clock import UNKNOWN, within
from grid.pmu.frame_writer import FrameWriter
from grid.pmu.scenario.model import PHASORS
from grid.pmu.scenario.pmu_channels import PmuChannels
from grid.pmu.signals.signal import LineLevel

NS = 1_700_000_000_020_000_000
_volts = st.complex_numbers(max_magnitude=1e7, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("floats", "polar", "version"),
    list(itertools.product((True, False, None), (True, False), (1, 2))),
)
@given(
    phasors=st.lists(_volts, min_size=6, max_size=6),
    deviation=st.floats(-20, 20),
    rocof=st.floats(-500, 500),
    word=st.integers(0, 0xFFFF),
)
def test_a_frame_is_what_the_codec_writes(floats, polar, version, phasors, deviation, rocof, word):
    form = c37118.Format(
        polar=polar,
        float_phasors=bool(floats),
        float_analogs=floats is not False,
        float_frequency=bool(floats),
    )
    station = PmuChannels.scaled(
        name="a", idcode=7, form=form, nominal_hz=50, level=LineLevel(), phasors=PHASORS,
        digitals=[["Door"]],
    ).station  # fmt: skip
    configuration = c37118.Configuration(
        idcode=7,
        stamp=c37118.Stamp.from_ns(NS, 600, UNKNOWN.quality),
        time_base=16_777_215,
        stations=(station,),
        data_rate=50,
        version=version,
    )
    clock_state = within(1e-6)
    written = FrameWriter(configuration).frame(
        NS, clock_state, word, phasors, deviation, rocof, (), (0b1,)
    )
    measurement = c37118.Measurement(
        stat=c37118.Stat.from_word(word),
        phasors=tuple(phasors),
        frequency_hz=50 + deviation,
        rocof_hz_s=rocof,
        digitals=(0b1,),
    )
    encoded = c37118.DataCodec(configuration).encode(
        c37118.DataFrame(
            idcode=7,
            stamp=c37118.Stamp.from_ns(NS, 16_777_215, clock_state.quality),
            pmus=(c37118.write(station, measurement),),
            version=version,
        )
    )
    assert written == encoded
