"""What the cases of the suite predict from the timers."""

import itertools
from pathlib import Path
from types import ModuleType

import pytest

from experiment.prediction import LATENESS_S
from lab.config import profiles
from lab.faults.catalogue import FAULTS
from measurements import published, results
from tests.modules import loaded

SUITE = Path(__file__).parents[3] / "tests" / "failover"


FILES = sorted(SUITE.glob("test_*.py"))
CASES = [module for module in map(loaded, FILES) if hasattr(module, "CASE")]
isolated = loaded(SUITE / "test_worker_isolated.py").windows


def test_the_suite_has_cases() -> None:
    assert CASES


def test_thesis_predicts_what_the_thesis_says() -> None:
    # Section 6.4: NotReady after at most 40 s by design, pods moved about 60 s after the fault.
    windows = isolated(profiles.load("thesis"))
    assert windows["not_ready"].earliest_s <= 30 <= windows["not_ready"].latest_s
    assert windows["not_ready"].earliest_s <= 40 <= windows["not_ready"].latest_s
    assert windows["evicted"].earliest_s <= 60 <= windows["evicted"].latest_s


def test_floor_forbids_what_only_the_thesis_timers_allow() -> None:
    floor, thesis = isolated(profiles.load("floor")), isolated(profiles.load("thesis"))
    assert floor["not_ready"].latest_s < thesis["not_ready"].earliest_s
    assert floor["not_ready"].latest_s == pytest.approx(4 + 1 + LATENESS_S)


@pytest.mark.parametrize("name", profiles.names())
@pytest.mark.parametrize("module", CASES, ids=lambda module: module.__name__)
def test_windows_are_ordered(name: str, module: ModuleType) -> None:
    predicted = module.CASE.windows(profiles.load(name))
    assert set(predicted) <= set(results.STAGES)
    windows = list(predicted.values())
    assert windows
    for window in windows:
        assert 0 <= window.earliest_s < window.latest_s
        assert window.why
    for before, after in itertools.pairwise(windows):
        assert before.earliest_s <= after.earliest_s
        assert before.latest_s <= after.latest_s


@pytest.mark.parametrize("module", CASES, ids=lambda module: module.__name__)
def test_what_a_case_declares_exists(module: ModuleType) -> None:
    case = module.CASE
    assert case.fault in FAULTS
    assert case.published in {None, *published.keys()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_case_file_imports_only_what_is_installed(file: Path) -> None:
    for line in file.read_text().splitlines():
        words = line.split()
        if words[:1] in (["import"], ["from"]):
            assert not words[1].startswith((".", "tests", "conftest")), line


def test_the_harness_that_is_killed_starts_at_all() -> None:
    harness: str = loaded(SUITE / "test_harness_killed.py").HARNESS
    imports = [line for line in harness.splitlines() if line.startswith(("import", "from"))]
    exec("\n".join(imports), {})  # noqa: S102 - lines of the repository
