"""What the commands need of their own process, whatever the user's environment is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("lab", "grid.pmu", "grid.pdc", "grid.inspect")
PROGRAM = """
import runpy, sys
module, *sys.argv[1:] = sys.argv[1:]
runpy.run_module(module, run_name="__main__")
"""


def run(*words: str, cwd: Path, **variables: str) -> str:
    """Run a module as its command is run: without the working directory among the places."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *words],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", COMMANDS)
@pytest.mark.parametrize("entry", ["{hostile}", ".", ":", "missing:{hostile}"])
def test_modules_of_python_path_replace_none(tmp_path: Path, module: str, entry: str) -> None:
    for name in ("yaml", "typer", "kubernetes"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('hostile')\n")
    said = run(module, "--help", cwd=tmp_path, PYTHONPATH=entry.format(hostile=tmp_path))
    assert "usage" in said.lower()


def test_a_terminal_without_a_width_gets_all_text(tmp_path: Path) -> None:
    assert "thesis" in run("lab", "profile", "show", cwd=tmp_path, COLUMNS="0")
