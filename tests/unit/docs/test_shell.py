"""The shell that runs a page's blocks."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell import Shell

PATH = {"PATH": os.environ["PATH"]}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path, PATH) as shell:
        yield shell


def test_blocks_share_one_shell(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("mkdir here\ncd here\nword=kept\n", limit_s=20).problem == ""
    ran = shell.run('echo "$word in $PWD"', limit_s=20)
    assert (ran.problem, ran.output) == ("", f"kept in {tmp_path / 'here'}\n")


def test_only_the_given_environment_is_there(tmp_path: Path) -> None:
    os.environ["BLACKSTART_ELSEWHERE"] = "yes"
    try:
        with Shell(tmp_path, {**PATH, "GIVEN": "yes"}) as shell:
            ran = shell.run('echo "$GIVEN${BLACKSTART_ELSEWHERE-}"', limit_s=20)
    finally:
        del os.environ["BLACKSTART_ELSEWHERE"]
    assert ran.output == "yes\n"


@pytest.mark.parametrize("failing", ["false", "false | cat", "cat absent", "exit 0"])
def test_a_command_that_fails_ends_the_page(shell: Shell, failing: str) -> None:
    ran = shell.run(f"echo before\n{failing}\necho after\n", limit_s=20)
    assert "ended with exit code" in ran.problem
    assert "before" in ran.output
    assert "after" not in ran.output
    assert shell.run("echo next", limit_s=20).problem != ""


def test_a_block_that_waits_for_input_finds_its_end(shell: Shell) -> None:
    assert shell.run("cat\necho read\n", limit_s=20).output == "read\n"


def test_a_block_has_a_limit(shell: Shell) -> None:
    ran = shell.run("echo begun\nsleep 60\n", limit_s=1)
    assert (ran.problem, ran.output) == ("it took longer than 1 s", "begun\n")


def test_the_background_ends_with_the_page(tmp_path: Path) -> None:
    with Shell(tmp_path, PATH) as shell:
        ran = shell.run("sleep 600 &\necho $!\n", limit_s=20)
        process = Path(f"/proc/{ran.output.strip()}")
        assert process.exists()
    until = time.monotonic() + 10
    while process.exists() and (process / "cmdline").read_bytes():  # a zombie has none
        assert time.monotonic() < until
        time.sleep(0.05)
