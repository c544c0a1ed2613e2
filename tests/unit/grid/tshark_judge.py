"""Wireshark's dissector as the independent judge of frames."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import packets
import pytest


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
    path: Path,
    segments: Sequence[tuple[bool, bytes]],
    fields: Sequence[str] = (),
    *,
    udp: bool = False,
    version: int = 4,
) -> Verdict:
    """Let Tshark dissect a conversation; `segments` are (from the server, payload).

    `udp` makes each segment a datagram; `version` is that of IP. Without Tshark this
    fails: a judge that stays away has not agreed.
    """
    if shutil.which("tshark") is None:
        pytest.fail("tshark is not installed: `make unit` installs it, or apt-get install tshark")
    make = packets.datagrams if udp else packets.conversation
    packets.write(path, make(segments, version))
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
    command = [
        "tshark", "-n", "-r", str(path), "-d", f"tcp.port=={packets.PORT},synphasor",
        "-d", f"udp.port=={packets.PORT},synphasor", *arguments,
    ]  # fmt: skip
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout
