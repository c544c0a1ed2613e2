"""The rules under which the measuring suite runs at all."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def pytest_run(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/failover", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_measurements_side_by_side_on_one_lab_are_refused() -> None:
    done = pytest_run("-m", "failover", "-n", "2")
    assert done.returncode == 4
    assert "--dist loadgroup" in done.stderr


def test_without_a_lab_it_says_so_and_writes_no_report(tmp_path: Path) -> None:
    done = pytest_run("-m", "failover", "--lab", "nosuchlab", "--reports", str(tmp_path))
    assert done.returncode == 2
    assert "Nothing was broken." in done.stdout
    assert "Traceback" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_case_runs_on_every_lab() -> None:
    done = pytest_run("-m", "failover", "--collect-only", "-q", "--lab", "one", "--lab", "two")
    assert done.returncode == 0, done.stdout
    for lab in ("one", "two"):
        assert f"test_worker_isolated[{lab}]" in done.stdout


def test_the_lab_of_an_inventory_is_taken() -> None:
    done = pytest_run(
        "-m", "failover", "--collect-only", "-q", "--inventory", "inventories/embedded"
    )
    assert "test_worker_isolated[blackstart]" in done.stdout
