import sys

import pytest

from lab.host.command import CommandError, run


def test_result_has_output_and_code():
    result = run([sys.executable, "-c", "import sys; print('out'); sys.exit(3)"], check=False)
    assert (result.returncode, result.stdout) == (3, "out\n")


def test_failure_shows_the_command_as_a_shell_takes_it():
    with pytest.raises(CommandError, match=r"exit code 2: sh -c 'echo no >&2; exit 2'\nno"):
        run(["sh", "-c", "echo no >&2; exit 2"])


def test_missing_program_is_a_failure_of_the_command():
    with pytest.raises(CommandError, match="exit code 127"):
        run(["no-such-program-anywhere"])


def test_time_out_keeps_what_was_printed():
    result = run(["sh", "-c", "echo begun; exec sleep 30"], timeout_s=0.5, check=False)
    assert result.returncode == 124
    assert result.stdout == "begun\n"
    assert "gave up after 0.5 s" in result.stderr


def test_input_and_environment_reach_the_command():
    result = run(["sh", "-c", 'cat; printf %s "$WORD"'], stdin="a", env={"WORD": "b"})
    assert result.stdout == "ab"
