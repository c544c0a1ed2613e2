"""Round trips for all that can be written, and one error for all that cannot be read."""

import frame_strategies as strategies
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import samples
from grid import c37118
from grid.c37118.frames import envelope

CFG2 = samples.annex_d()["cfg2"]
CODEC = c37118.DataCodec(c37118.Configuration.decode(CFG2))


@given(strategies.configurations)
def test_configurations_survive(configuration):
    frame = configuration.encode()
    assert c37118.Configuration.decode(frame) == configuration
    assert c37118.Configuration.decode(frame).encode() == frame


@given(strategies.data_frames())
def test_data_frames_survive_in_every_format(pair):
    configuration, data = pair
    codec = c37118.DataCodec(configuration)
    frame = codec.encode(data)
    assert len(frame) == codec.size
    assert codec.decode(frame) == data


@given(strategies.data_frames())
def test_blocks_that_are_split_and_joined_make_the_same_frame(pair):
    configuration, data = pair
    codec = c37118.DataCodec(configuration)
    frame = codec.encode(
        c37118.DataFrame(
            idcode=configuration.idcode,
            stamp=data.stamp,
            pmus=data.pmus,
            version=configuration.version,
        )
    )
    stamp, blocks = codec.split(frame)
    assert codec.join(stamp, blocks) == frame
    assert codec.stat_words(frame) == tuple(pmu.stat.to_word() for pmu in data.pmus)


@given(strategies.words)
def test_every_stat_word_survives(word):
    assert c37118.Stat.from_word(word).to_word() == word


@given(st.integers(0, 255))
def test_every_time_quality_survives(value):
    assert c37118.TimeQuality.from_byte(value).to_byte() == value


@given(strategies.stamps, strategies.words, strategies.words, st.binary(max_size=100))
def test_commands_survive(stamp, idcode, command, extended):
    frame = c37118.CommandFrame(idcode=idcode, stamp=stamp, command=command, extended=extended)
    assert c37118.CommandFrame.decode(frame.encode()) == frame


@given(
    strategies.stamps, strategies.words, st.text(st.characters(max_codepoint=0xFF), max_size=300)
)
def test_headers_survive(stamp, idcode, text):
    frame = c37118.HeaderFrame(idcode=idcode, stamp=stamp, text=text)
    assert c37118.HeaderFrame.decode(frame.encode()) == frame


@given(st.integers(0, 2**32 * 10**9 - 10**9), st.integers(1, 0xFFFFFF))
def test_stamps_are_within_half_a_step_of_their_time(ns, time_base):
    stamp = c37118.Stamp.from_ns(ns, time_base, c37118.TimeQuality(code=0))
    assert 0 <= stamp.count < time_base
    assert abs(stamp.ns(time_base) - ns) <= 1e9 / time_base / 2 + 1


def decode_all(frame: bytes) -> None:
    """Give the frame to every decoder; any error but FrameError fails the test."""
    for decode in (
        c37118.frame_type,
        c37118.Configuration.decode,
        c37118.CommandFrame.decode,
        c37118.HeaderFrame.decode,
        CODEC.decode,
        CODEC.split,
    ):
        try:
            decode(frame)
        except c37118.FrameError:
            continue


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_noise_raises_nothing_else(noise):
    decode_all(noise)


@settings(max_examples=500)
@given(st.binary(max_size=600), st.integers(0, 0x6F), st.integers(0, 2**64 - 1))
def test_noise_in_a_valid_envelope_raises_nothing_else(body, second, rest):
    head = bytes([0xAA, second]) + (len(body) + 16).to_bytes(2, "big")
    frame = head + rest.to_bytes(10, "big") + body
    decode_all(frame + envelope.crc(frame).to_bytes(2, "big"))


@settings(max_examples=500)
@given(st.integers(14, len(CFG2) - 3), st.binary(min_size=1, max_size=8))
def test_lying_configurations_raise_nothing_else(at, lie):
    """A valid CRC over wrong counts, sizes and names."""
    frame = (CFG2[:at] + lie + CFG2[at + len(lie) : -2])[: len(CFG2) - 2]
    decode_all(frame + envelope.crc(frame).to_bytes(2, "big"))


@given(strategies.configurations, strategies.configurations)
def test_data_of_another_configuration_are_refused(one, other):
    sender, receiver = c37118.DataCodec(one), c37118.DataCodec(other)
    stamp = one.stamp
    data = c37118.DataFrame(
        idcode=one.idcode, stamp=stamp, pmus=tuple(map(c37118.absent, one.stations))
    )
    frame = sender.encode(data)
    if sender.size == receiver.size:
        receiver.decode(frame)
    else:
        with pytest.raises(c37118.FrameError, match="contradicts the configuration"):
            receiver.decode(frame)


@given(st.lists(st.integers(0, 3), max_size=20), st.data())
def test_reassembly_does_not_depend_on_the_segments(choice, data):
    frames = [list(samples.annex_d().values())[index] for index in choice]
    stream = b"".join(frames)
    reader, got = c37118.Reassembler(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += reader.feed(stream[:size])
        stream = stream[size:]
    assert got == frames
    assert (reader.skipped_bytes, reader.bad_crcs) == (0, 0)


@given(st.binary(max_size=60).filter(lambda noise: 0xAA not in noise), st.integers(0, 3))
def test_reassembly_finds_the_frame_behind_garbage_and_counts_it(noise, index):
    frame = list(samples.annex_d().values())[index]
    reader = c37118.Reassembler()
    assert reader.feed(noise + frame + noise + frame) == [frame, frame]
    assert reader.skipped_bytes == 2 * len(noise)


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=80), max_size=10))
def test_reassembly_of_anything_raises_nothing(chunks):
    reader = c37118.Reassembler(limit=200)
    for chunk in chunks:
        reader.feed(chunk)
