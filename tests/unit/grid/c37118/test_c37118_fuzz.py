"""A short run of the fuzz target, and that it does find what is wrong."""

from pathlib import Path

import pytest

from fuzz import __main__ as fuzz
from grid import c37118


def test_damaged_frames_raise_nothing_but_frame_error(tmp_path: Path, capsys):
    assert fuzz.run(7, seconds=600, inputs=5_000, findings=tmp_path) == 0
    summary = capsys.readouterr().out
    assert summary.startswith("5000 inputs in ")
    accepted = int(summary.split("seed 7: ")[1].split()[0])
    # Inputs that are all refused at the first byte would test nothing.
    assert accepted > 500


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("decode", lambda frame: frame[500]),
        ("encode", lambda self: b"\xaa"),
    ],
)
def test_a_broken_decoder_is_found_and_its_input_kept(tmp_path: Path, monkeypatch, name, broken):
    broken = staticmethod(broken) if name == "decode" else broken
    monkeypatch.setattr(c37118.HeaderFrame, name, broken)
    assert fuzz.run(7, seconds=600, inputs=5_000, findings=tmp_path) == 1
    (kept,) = tmp_path.glob("fuzz-7-*.bin")
    assert kept.stat().st_size > 0
