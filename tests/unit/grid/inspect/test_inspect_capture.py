"""From capture files of every kind to the same frames."""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import packets
import pytest

from fuzz import samples
from grid import c37118
from grid.capture.conversations import Damage
from grid.inspect import frame_sources
from grid.inspect.observed_frame import ObservedFrame

FRAMES = samples.annex_d()
CONVERSATION = [
    (False, FRAMES["command"]),
    (True, FRAMES["cfg2"]),
    (True, FRAMES["data"]),
    (True, FRAMES["header"]),
]
KINDS = ["COMMAND", "CFG2", "DATA", "HEADER"]


def read(path: Path) -> tuple[list[ObservedFrame], list[Damage]]:
    seen: list[ObservedFrame] = []

    def see(one: ObservedFrame) -> bool:
        seen.append(one)
        return False

    return seen, [*frame_sources.recorded(path, see).values()]


def kinds(seen: list[ObservedFrame]) -> list[str]:
    return [one.type.name for one in seen]


@pytest.mark.parametrize("make", [packets.conversation, packets.datagrams])
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("link", "vlans"),
    [
        (packets.RAW, ()),
        (packets.ETHERNET, ()),
        (packets.ETHERNET, (7,)),
        (packets.ETHERNET, (7, 9)),
        (packets.LINUX_SLL, ()),
        (packets.LINUX_SLL2, ()),
    ],
)
def test_every_link_and_transport_gives_the_same_frames(
    tmp_path: Path, make: Callable, version: int, link: int, vlans: tuple[int, ...]
):
    path = packets.write(tmp_path / "a.pcap", make(CONVERSATION, version), link, vlans)
    seen, damage = read(path)
    assert kinds(seen) == KINDS
    assert all(one.frame is not None for one in seen)
    assert seen[2].source == ("10.0.0.2:4712" if version == 4 else "[fd00::2]:4712")
    assert seen[2].t_ns is not None
    assert seen[2].t_ns // 10**9 == packets.START_S
    assert damage == [Damage(), Damage()]


@pytest.mark.parametrize("options", [("-F", "pcapng"), ("-F", "nsecpcap")])
def test_other_formats_as_wiresharks_tools_write_them(tmp_path: Path, options):
    if shutil.which("tshark") is None:
        pytest.fail("tshark is not installed: `make unit` installs it")
    made = packets.write(tmp_path / "a.pcap", packets.conversation(CONVERSATION))
    other = tmp_path / "b"
    subprocess.run(
        ["tshark", "-r", str(made), *options, "-w", str(other)], check=True, capture_output=True
    )
    (seen, damage), (same, as_before) = read(other), read(made)
    assert [(one.t_ns, one.source, one.frame) for one in seen] == [
        (one.t_ns, one.source, one.frame) for one in same
    ]
    assert damage == as_before


def test_a_big_endian_pcap_is_read(tmp_path: Path):
    packet = packets.datagrams(CONVERSATION)[1]
    content = struct.pack(">LHHlLLL", 0xA1B2C3D4, 2, 4, 0, 0, 65535, packets.RAW)
    content += struct.pack(">LLLL", 12, 34, len(packet), len(packet)) + packet
    path = tmp_path / "big.pcap"
    path.write_bytes(content)
    ((one,), _) = read(path)
    assert one.t_ns == 12_000_034_000


def block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return struct.pack(">LL", kind, size) + body + struct.pack(">L", size)


def test_a_big_endian_pcapng_with_its_own_clock_is_read(tmp_path: Path):
    packet = packets.datagrams(CONVERSATION)[1]
    padded = packet + bytes(-len(packet) % 4)
    options = struct.pack(">HHB3xHHqHH", 9, 1, 0x80 | 10, 14, 8, 1_000_000, 0, 0)
    content = block(0x0A0D0D0A, struct.pack(">LHHq", 0x1A2B3C4D, 1, 0, -1))
    content += block(1, struct.pack(">HHL", packets.RAW, 0, 0) + options)
    # Of 1/1024 s; 2.5 s behind the interface's own beginning.
    sizes = struct.pack(">LL", len(packet), len(packet))
    content += block(6, struct.pack(">LLL", 0, 0, 2560) + sizes + padded)
    content += block(0xBAD, b"what nobody knows...")
    content += block(3, struct.pack(">L", len(packet)) + padded)
    path = tmp_path / "a.pcapng"
    path.write_bytes(content)
    seen, _ = read(path)
    assert [one.t_ns for one in seen] == [1_000_002_500_000_000, None]
    assert kinds(seen) == ["CFG2", "CFG2"]


def test_segments_out_of_order_repeated_and_across_the_wrap_give_the_same_frames(tmp_path: Path):
    tcp = packets.Tcp()
    made = tcp.handshake()
    stream = FRAMES["command"] * 40
    pieces = [tcp.packet(False, payload=stream[at : at + 13]) for at in range(0, len(stream), 13)]
    assert tcp.sequence[False] < 0x1000, "the sequence numbers started again"
    for at in range(0, len(pieces) - 2, 3):
        one, two, three = pieces[at : at + 3]
        made += [three, one, one, two]
    made += pieces[len(pieces) // 3 * 3 :]
    seen, damage = read(packets.write(tmp_path / "a.pcap", made))
    assert kinds(seen) == ["COMMAND"] * 40
    assert damage == [Damage()]


def test_a_hole_in_the_capture_costs_the_frames_in_it_and_is_counted(tmp_path: Path):
    tcp = packets.Tcp()
    made = tcp.handshake()
    sent = [tcp.packet(False, payload=FRAMES["command"]) for _ in range(6)]
    seen, damage = read(packets.write(tmp_path / "a.pcap", made + sent[:2] + sent[3:]))
    assert len(seen) == 2, "a hole is waited for until the end"
    assert damage == [Damage(lost_bytes=18)]
    tcp = packets.Tcp()
    made = [*tcp.handshake(), tcp.packet(False, payload=FRAMES["command"])]
    tcp.packet(False, payload=bytes(500))
    header = c37118.HeaderFrame.decode(FRAMES["header"])
    long = c37118.HeaderFrame(idcode=1, stamp=header.stamp, text="x" * 60_000).encode()
    made += [tcp.packet(False, payload=long) for _ in range(20)]
    seen, damage = read(packets.write(tmp_path / "b.pcap", made))
    assert kinds(seen) == ["COMMAND", *["HEADER"] * 20]
    assert damage == [Damage(lost_bytes=500)]


def test_a_capture_that_begins_in_the_middle_finds_the_next_frame(tmp_path: Path):
    tcp = packets.Tcp()
    stream = FRAMES["cfg2"][100:] + FRAMES["cfg2"] + FRAMES["data"]
    seen, damage = read(packets.write(tmp_path / "a.pcap", [tcp.packet(True, payload=stream)]))
    assert kinds(seen) == ["CFG2", "DATA"]
    assert damage == [Damage()]


@pytest.mark.parametrize("backwards", [False, True])
def test_ip_fragments_are_put_together(tmp_path: Path, backwards):
    whole = packets.udp(True, FRAMES["cfg2"])[20:]
    cuts = [(0, 160), (160, 320), (320, len(whole))]
    made = [
        packets.ip(
            True, 17, whole[start:end], offset=start // 8 | (0x2000 if end < len(whole) else 0)
        )
        for start, end in cuts
    ]
    six = packets.udp(True, FRAMES["cfg2"], 6)[40:]
    for start, end in [(0, 240), (240, len(six))]:
        header = struct.pack(">BBHL", 17, 0, start | (end < len(six)), 99)
        made.append(packets.ip(True, 44, header + six[start:end], 6))
    path = packets.write(tmp_path / "a.pcap", made[::-1] if backwards else made)
    seen, _ = read(path)
    assert kinds(seen) == ["CFG2", "CFG2"]


def test_garbage_and_wrong_crcs_are_counted_where_they_are(tmp_path: Path):
    bad = FRAMES["data"][:-1] + b"\0"
    segments = [*CONVERSATION, (True, b"noise"), (True, bad), (True, FRAMES["data"])]
    for make in (packets.conversation, packets.datagrams):
        seen, damage = read(packets.write(tmp_path / "a.pcap", make(segments)))
        assert kinds(seen) == [*KINDS, "DATA"]
        assert damage == [Damage(), Damage(bad_crcs=1, skipped_bytes=5 + len(bad))]


def test_data_by_udp_are_read_with_the_configuration_that_came_by_tcp(tmp_path: Path):
    made = [
        *packets.conversation(CONVERSATION[:2]),
        packets.udp(True, FRAMES["data"], port=5555),
    ]
    seen, _ = read(packets.write(tmp_path / "a.pcap", made))
    assert kinds(seen) == ["COMMAND", "CFG2", "DATA"]
    assert isinstance(seen[2].frame, c37118.DataFrame)


def test_fragments_of_a_cfg_3_are_one_frame(tmp_path: Path):
    made = c37118.Configuration3.of(c37118.Configuration.decode(FRAMES["cfg2"]))
    segments = [(True, frame) for frame in made.encode(100)]
    seen, _ = read(packets.write(tmp_path / "a.pcap", packets.datagrams(segments)))
    assert kinds(seen) == ["CFG3"]
    assert isinstance(seen[0].frame, c37118.Configuration3)
    assert seen[0].frame.stations[0].digitals == made.stations[0].digitals


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither pcap nor pcapng"),
        (b"no capture at all", "neither pcap nor pcapng"),
        (struct.pack("<LHH", 0xA1B2C3D4, 2, 4), "ends inside its header"),
        (struct.pack("<LHHlLLL", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1), "no C37.118 frame in the 0"),
        (
            struct.pack("<LHHlLLL4L", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1, 0, 0, 2**31, 2**31),
            "a packet of 2147483648 bytes is damage",
        ),
        (struct.pack("<LLLL", 0x0A0D0D0A, 4, 0x1A2B3C4D, 0), "a block of 4 bytes is damage"),
    ],
)
def test_what_is_no_capture_is_said_in_one_sentence(tmp_path: Path, content, message):
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(frame_sources.NoStreamError, match=message):
        read(path)


def test_damaged_captures_raise_nothing_else(tmp_path: Path):
    path = packets.write(tmp_path / "a.pcap", packets.conversation(CONVERSATION), packets.ETHERNET)
    whole = path.read_bytes()
    for at in range(24, len(whole), 5):
        for changed in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            path.write_bytes(changed)
            try:
                read(path)
            except frame_sources.NoStreamError:
                continue
