"""The `lab` command where its extra is not installed, and where the kit itself is broken."""

import subprocess
import sys


def lab_without(module: str) -> subprocess.CompletedProcess[str]:
    """Run `lab` in a Python that does not find `module`."""
    program = f"import sys; sys.modules[{module!r}] = None; from lab.__main__ import main; main()"
    argv = [sys.executable, "-c", program, "--help"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_a_missing_extra_is_one_sentence():
    done = lab_without("typer")
    assert done.returncode == 1
    assert done.stderr == (
        "error: The command `lab` needs the Python package typer, which is not installed. "
        "Run: pip install 'blackstart[lab]'\n"
    )


def test_a_missing_module_of_the_kit_is_not_blamed_on_an_extra():
    done = lab_without("lab.commands.cli")
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr
