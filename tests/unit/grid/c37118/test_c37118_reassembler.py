from fuzz import samples
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


def test_a_frame_whose_size_lies_is_not_waited_for():
    cut = b"\xaa\x41\xff\xff"
    reader = c37118.Reassembler()
    assert reader.feed(cut) == []
    assert reader.feed(COMMAND[:5]) == []
    assert reader.feed(COMMAND[5:]) == []
    assert reader.feed(COMMAND) == [COMMAND]
    assert reader.skipped_bytes == len(cut + COMMAND)
    assert reader.feed(cut + DATA + COMMAND) == [COMMAND], "the last frame tells"
    assert reader.feed(DATA) == [DATA]


def test_a_long_frame_is_waited_for_however_it_arrives():
    header = c37118.HeaderFrame.decode(FRAMES["header"])
    # It is full of bytes that look like the beginning of a frame.
    text = b"\xaa\x01\x00\x12".decode("latin-1") * 10_000
    frame = c37118.HeaderFrame(idcode=1, stamp=header.stamp, text=text).encode()
    for size in (1, 1448):
        reader = c37118.Reassembler()
        got = [
            one for at in range(0, len(frame), size) for one in reader.feed(frame[at : at + size])
        ]
        assert got == [frame]
        assert reader.skipped_bytes == 0
