"""The script that starts openPDC, with a program that stands in for mono."""

import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "workloads" / "components" / "openpdc" / "openpdc.sh"
MONO = """#!/bin/sh
# Says what it was called with, and the lines of its standard input, until SIGTERM.
echo "$@ in $PWD" >>"$SAID"
trap 'echo ended >>"$SAID"; exit 143' TERM
while true; do
    read -r line || { echo "end of input" >>"$SAID"; exit 1; }
    echo "$line" >>"$SAID"
    [ "$line" != fail ] || exit 7
done
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make an image with the program, an empty folder for it, and a mono."""
    for name in ("bin", "folder", "image", "program"):
        (tmp_path / name).mkdir()
    (tmp_path / "program" / "openPDC.exe").write_text("MZ")
    mono = tmp_path / "bin" / "mono"
    mono.write_text(MONO)
    mono.chmod(0o755)
    return tmp_path


def environment(place: Path) -> dict[str, str]:
    return {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "OPENPDC_FOLDER": str(place / "folder"),
        "OPENPDC_IMAGE": str(place / "image"),
        "SAID": str(place / "said"),
    }


def script(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", SCRIPT, *arguments],
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.fixture
def running(place: Path) -> Iterator["subprocess.Popen[bytes]"]:
    (place / "folder" / "openPDC.exe").write_text("MZ")
    (place / "folder" / "openPDC.exe.config").write_text("<configuration />")
    process = subprocess.Popen(["sh", SCRIPT, "run"], env=environment(place))
    until(lambda: "RunAsConsole" in said(place))
    yield process
    # The script ends its program, which would live on without it.
    process.terminate()
    process.wait()


def said(place: Path) -> str:
    path = place / "said"
    return path.read_text() if path.exists() else ""


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_program_is_copied_of_an_archive_or_a_folder(place: Path) -> None:
    with tarfile.open(place / "image" / "openPDC.tar.gz", "w:gz") as tar:
        tar.add(place / "program", ".")
    assert script(place, "copy").returncode == 0
    (place / "folder" / "openPDC.exe").unlink()
    (place / "image" / "openPDC.tar.gz").unlink()
    (place / "program").rename(place / "image" / "openPDC")
    assert script(place, "copy").returncode == 0
    assert (place / "folder" / "openPDC.exe").read_text() == "MZ"


def test_what_is_missing_is_said(place: Path) -> None:
    for arguments, sentence in (
        (["copy"], "the image has neither"),
        (["run"], "has no openPDC.exe; run openpdc.sh copy first"),
        ([], "usage: openpdc.sh copy|run"),
    ):
        done = script(place, *arguments)
        assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    (place / "folder" / "openPDC.exe").write_text("MZ")
    assert "pdc init --openpdc writes it" in script(place, "run").stderr
    (place / "image" / "openPDC").mkdir()
    (place / "folder" / "openPDC.exe").unlink()
    assert "holds no openPDC.exe" in script(place, "copy").stderr


def test_its_standard_input_stays_open_and_takes_commands(
    place: Path, running: "subprocess.Popen[bytes]"
) -> None:
    console = place / "folder" / "console"
    for line in ("ReloadConfig", "Version"):
        console.write_text(f"{line}\n")
        until(lambda line=line: line in said(place))
    assert running.poll() is None
    assert "end of input" not in said(place)
    assert said(place).startswith(f"openPDC.exe -RunAsConsole in {place / 'folder'}")


def test_sigterm_ends_the_program_first(place: Path, running: "subprocess.Popen[bytes]") -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) == 0
    assert said(place).endswith("ended\n")


def test_the_programs_own_end_is_the_scripts(
    place: Path, running: "subprocess.Popen[bytes]"
) -> None:
    (place / "folder" / "console").write_text("fail\n")
    assert running.wait(timeout=20) == 7
