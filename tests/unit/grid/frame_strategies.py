"""Hypothesis strategies for frames of C37.118, and a decoder and encoder for any of them."""

from hypothesis import strategies as st

from grid import c37118


def recode(frame: bytes, codec: c37118.DataCodec | None) -> bytes:
    """Decode a frame of any type and encode it again."""
    match c37118.frame_type(frame):
        case c37118.FrameType.DATA:
            assert codec is not None
            return codec.encode(codec.decode(frame))
        case c37118.FrameType.HEADER:
            return c37118.HeaderFrame.decode(frame).encode()
        case c37118.FrameType.COMMAND:
            return c37118.CommandFrame.decode(frame).encode()
        case _:
            return c37118.Configuration.decode(frame).encode()


words = st.integers(0, 0xFFFF)
names = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=16
).map(lambda name: name.rstrip(" "))
stamps = st.builds(c37118.Stamp.from_words, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
formats = st.integers(0, 0xFFFF).map(c37118.Format.from_word)
phasor_units = st.builds(
    c37118.PhasorUnit, kind=st.integers(0, 255), factor=st.integers(0, 0xFFFFFF)
)
analog_units = st.builds(
    c37118.AnalogUnit, kind=st.integers(0, 255), factor=st.integers(-0x800000, 0x7FFFFF)
)
digital_units = st.builds(c37118.DigitalUnit, normal=words, valid=words)


@st.composite
def stations(draw: st.DrawFn) -> c37118.Station:
    phasors, analogs, digitals = (draw(st.integers(0, 3)) for _ in range(3))

    def some(strategy: st.SearchStrategy, count: int) -> tuple:
        return tuple(draw(st.lists(strategy, min_size=count, max_size=count)))

    return c37118.Station(
        name=draw(names),
        idcode=draw(words),
        format=draw(formats),
        phasors=some(names, phasors),
        phasor_units=some(phasor_units, phasors),
        analogs=some(names, analogs),
        analog_units=some(analog_units, analogs),
        digitals=some(names, 16 * digitals),
        digital_units=some(digital_units, digitals),
        fnom=draw(words),
        change_count=draw(words),
    )


configurations = st.builds(
    c37118.Configuration,
    idcode=words,
    stamp=stamps,
    time_base=st.integers(1, 0xFFFFFF),
    stations=st.lists(stations(), max_size=4).map(tuple),
    data_rate=st.integers(-0x8000, 0x7FFF),
    type=st.sampled_from([c37118.FrameType.CFG1, c37118.FrameType.CFG2]),
    time_base_flags=st.integers(0, 255),
    version=st.sampled_from([1, 2]),
)


@st.composite
def data_frames(draw: st.DrawFn) -> tuple[c37118.Configuration, c37118.DataFrame]:
    configuration = draw(configurations)
    return configuration, c37118.DataFrame(
        idcode=draw(words),
        stamp=draw(stamps),
        pmus=tuple(draw(_pmu_data(station)) for station in configuration.stations),
        version=draw(st.sampled_from([1, 2])),
    )


@st.composite
def _pmu_data(draw: st.DrawFn, station: c37118.Station) -> c37118.PmuData:
    form = station.format
    floats = st.floats(width=32, allow_nan=False)
    integers = st.integers(-0x8000, 0x7FFF)
    magnitudes = words if form.polar else integers
    phasor = st.tuples(floats, floats) if form.float_phasors else st.tuples(magnitudes, integers)
    frequency = floats if form.float_frequency else integers
    analog = floats if form.float_analogs else integers
    return c37118.PmuData(
        stat=c37118.Stat.from_word(draw(words)),
        phasors=tuple(draw(phasor) for _ in station.phasors),
        frequency=draw(frequency),
        rocof=draw(frequency),
        analogs=tuple(draw(analog) for _ in station.analogs),
        digitals=tuple(draw(words) for _ in station.digital_units),
    )


long_names = st.text(max_size=80).filter(lambda name: len(name.encode()) <= 255)
floats32 = st.floats(width=32, allow_nan=False)
phasor_scales = st.builds(
    c37118.PhasorScale,
    kind=st.integers(0, 255),
    scale=floats32,
    angle_rad=floats32,
    modifications=words,
    user=st.integers(0, 255),
)
analog_scales = st.builds(c37118.AnalogScale, scale=floats32, offset=floats32)


@st.composite
def stations3(draw: st.DrawFn) -> c37118.Station3:
    phasors, analogs, digitals = (draw(st.integers(0, 2)) for _ in range(3))

    def some(strategy: st.SearchStrategy, count: int) -> tuple:
        return tuple(draw(st.lists(strategy, min_size=count, max_size=count)))

    return c37118.Station3(
        name=draw(long_names),
        idcode=draw(words),
        global_id=draw(st.binary(min_size=16, max_size=16)),
        format=draw(formats),
        phasors=some(long_names, phasors),
        phasor_units=some(phasor_scales, phasors),
        analogs=some(long_names, analogs),
        analog_units=some(analog_scales, analogs),
        digitals=some(st.sampled_from(["", "Breaker", "Öl"]), 16 * digitals),
        digital_units=some(digital_units, digitals),
        latitude_deg=draw(floats32),
        longitude_deg=draw(floats32),
        elevation_m=draw(floats32),
        service_class=draw(st.sampled_from("MP\xff")),
        window_us=draw(st.integers(-(2**31), 2**31 - 1)),
        group_delay_us=draw(st.integers(-(2**31), 2**31 - 1)),
        fnom=draw(words),
        change_count=draw(words),
    )


configurations3 = st.builds(
    c37118.Configuration3,
    idcode=words,
    stamp=stamps,
    time_base=st.integers(1, 0xFFFFFF),
    stations=st.lists(stations3(), max_size=3).map(tuple),
    data_rate=st.integers(-0x8000, 0x7FFF),
    time_base_flags=st.integers(0, 255),
    version=st.sampled_from([1, 2]),
)
