"""What a killed command leaves of a playbook's run goes with the next command."""

import os
import subprocess
import sys

import pytest

from lab.host import environment
from lab.host.private_directory import PREFIX, private_directory, sweep


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "temporary_directory", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def ended():
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_run_has_a_directory_of_its_own_which_goes_with_it(temporary):
    with private_directory() as made:
        assert made.parent == temporary
        assert str(os.getpid()) in made.name
    assert not made.exists()


def test_what_works_in_the_directory_ends_with_it():
    with private_directory() as made:
        argv = [sys.executable, "-c", "import time; time.sleep(60)", str(made / "cp")]
        living = subprocess.Popen(argv)
    assert living.wait(5) < 0


def test_the_directory_of_a_killed_command_goes_with_what_works_there(temporary, ended):
    left, others = temporary / f"{PREFIX}{ended}-a", temporary / f"{PREFIX}{os.getpid()}-b"
    for directory in (left, others, temporary / f"{PREFIX}words-c"):
        directory.mkdir()
    argv = [sys.executable, "-c", "import time; time.sleep(60)", str(left / "cp")]
    with subprocess.Popen(argv) as living:
        assert sweep() == [str(left)]
        assert living.wait(5) < 0
    assert not left.exists()
    assert others.exists()
    assert (temporary / f"{PREFIX}words-c").exists()
