import synchrophasor_samples as samples

from grid import c37118

FRAMES = samples.annex_d()
DATA, COMMAND = FRAMES["data"], FRAMES["command"]


def test_a_damaged_frame_costs_no_other_frame():
    damaged = bytearray(DATA)
    damaged[20] ^= 0xFF
    reader = c37118.Reassembler()
    assert reader.feed(COMMAND + bytes(damaged) + DATA) == [COMMAND, DATA]
    assert (reader.bad_crcs, reader.skipped_bytes) == (1, len(DATA))


def test_a_damaged_frame_at_the_end_of_a_segment_costs_no_other_frame():
    damaged = DATA[:-1] + bytes([DATA[-1] ^ 1])
    reader = c37118.Reassembler()
    assert reader.feed(damaged) == []
    assert reader.feed(DATA) == [DATA]
    assert reader.bad_crcs == 1


def test_a_frame_whose_size_is_wrong_costs_no_other_frame():
    short = bytearray(DATA)
    short[3] -= 4
    reader = c37118.Reassembler()
    assert reader.feed(bytes(short) + DATA + DATA) == [DATA, DATA]
    assert reader.skipped_bytes == len(DATA)


def test_a_size_above_the_limit_is_no_frame():
    reader = c37118.Reassembler(limit=40)
    assert reader.feed(DATA + COMMAND) == [COMMAND]
    assert reader.skipped_bytes == len(DATA)


def test_garbage_does_not_pile_up():
    reader = c37118.Reassembler()
    for _ in range(1000):
        reader.feed(b"\x55" * 1000)
    assert reader.skipped_bytes >= 999_000
    assert reader.feed(b"\x55" + DATA) == [DATA]
