"""Wireshark's dissector as the independent judge of frames."""

import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PORT = 4712
_CLIENT, _SERVER = (bytes([10, 0, 0, 1]), 40000), (bytes([10, 0, 0, 2]), PORT)
_SYN, _ACK, _PUSH = 0x02, 0x10, 0x18


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What Tshark found in a conversation."""

    frames: int
    """C37.118 frames."""
    good: int
    """Of these, frames with a right checksum."""
    complaints: list[str]
    """Malformed packets and errors, as Tshark describes them."""
    fields: dict[str, list[str]]
    """The values of each field that was asked for, in the order of the frames."""

    def assert_flawless(self, frames: int) -> None:
        assert self.complaints == []
        assert (self.frames, self.good) == (frames, frames)


def judge(
    path: Path, segments: Sequence[tuple[bool, bytes]], fields: Sequence[str] = ()
) -> Verdict:
    """Let Tshark dissect a TCP conversation; `segments` are (from the server, payload).

    Without Tshark this fails: a judge that stays away has not agreed.
    """
    if shutil.which("tshark") is None:
        pytest.fail("tshark is not installed: `make unit` installs it, or apt-get install tshark")
    path.write_bytes(_pcap(segments))
    columns = ["synphasor.frtype", "synphasor.checksum.status", *fields]
    table = _tshark(
        path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;",
        *(word for column in columns for word in ("-e", column)), "-Y", "synphasor",
    )  # fmt: skip
    values: dict[str, list[str]] = {column: [] for column in columns}
    for line in table.splitlines():
        for column, cell in zip(columns, line.split("\t"), strict=True):
            values[column] += [value for value in cell.split(";") if value]
    complaints = _tshark(
        path, "-Y", '_ws.malformed || _ws.expert.severity == "Error" || _ws.unreassembled'
    )
    status = values.pop("synphasor.checksum.status")
    return Verdict(
        frames=len(values.pop("synphasor.frtype")),
        good=sum(value in ("1", "Good") for value in status),
        complaints=complaints.splitlines(),
        fields=values,
    )


def details(path: Path) -> str:
    """Return all that Tshark says about the frames of a capture that was judged."""
    return _tshark(path, "-V", "-Y", "synphasor")


def _tshark(path: Path, *arguments: str) -> str:
    command = ["tshark", "-n", "-r", str(path), "-d", f"tcp.port=={PORT},synphasor", *arguments]
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _pcap(segments: Sequence[tuple[bool, bytes]]) -> bytes:
    """Return a capture of the conversation, raw IPv4, from its handshake on."""
    sequence = {False: 1000, True: 5000}
    packets = []

    def add(from_server: bool, flags: int, payload: bytes = b"") -> None:
        here, there = (_SERVER, _CLIENT) if from_server else (_CLIENT, _SERVER)
        tcp = struct.pack(
            ">HHLLBBHHH", here[1], there[1], sequence[from_server],
            sequence[not from_server] if flags & _ACK else 0, 5 << 4, flags, 65535, 0, 0,
        )  # fmt: skip
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, here[0], there[0]
        )
        packets.append(ip + tcp + payload)
        sequence[from_server] += len(payload) + bool(flags & _SYN)

    add(False, _SYN)
    add(True, _SYN | _ACK)
    add(False, _ACK)
    for from_server, payload in segments:
        add(from_server, _PUSH, payload)
    header = struct.pack("<LHHlLLL", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    return header + b"".join(
        struct.pack("<LLLL", index // 1000, index % 1000 * 1000, len(packet), len(packet)) + packet
        for index, packet in enumerate(packets)
    )
