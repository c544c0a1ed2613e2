"""The `lab` command where its extra is missing, the kit is broken, or a signal ends it."""

import signal
import subprocess
import sys

import pytest

from lab.console import boundary


def lab_without(module: str) -> subprocess.CompletedProcess[str]:
    """Run `lab` in a Python that does not find `module`."""
    program = f"import sys; sys.modules[{module!r}] = None; from lab.__main__ import main; main()"
    argv = [sys.executable, "-c", program, "--help"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_a_missing_extra_is_one_sentence():
    done = lab_without("typer")
    assert done.returncode == 1
    assert done.stderr == (
        "\nerror: This command needs the Python package typer, which is not installed.\n"
        "Run: pip install 'blackstart[lab]'\n"
    )


def test_a_missing_module_of_the_kit_is_not_blamed_on_an_extra():
    done = lab_without("lab.commands.cli")
    assert done.returncode == boundary.DEFECT
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_that_ends_a_command_ends_it_in_a_sentence(number):
    # A verb that takes long. A shell's job in the background ignores Ctrl-C, and so would this one.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time; from lab.commands.look import preflight; from lab.__main__ import main\n"
        "def wait(*_): print('begun', flush=True); time.sleep(60)\n"
        "preflight.problems = preflight.options.read_lab = wait\n"
        "sys.argv = ['lab', 'preflight']; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert "Stopped. Nothing was changed." in process.communicate(timeout=30)[1]
    assert process.returncode == boundary.INTERRUPTED
