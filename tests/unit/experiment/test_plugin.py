"""The rules under which measuring cases run at all, in sessions of pytest's own."""

import subprocess
import sys
from pathlib import Path

import fake_lab
import pytest

from experiment import plugin, scheduling

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
EMPTY = "import pytest\n@pytest.mark.failover\ndef test_it(measured): pass\n"


def pytest_run(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/failover", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_a_lab_that_does_not_exist_is_one_sentence_and_no_report(tmp_path: Path) -> None:
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


def test_measurements_side_by_side_on_one_lab_are_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(EMPTY)
    done = pytester.runpytest_subprocess("-m", "failover", "-n", "2")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines("*--dist loadgroup*")


@pytest.mark.parametrize(
    "words", ["-n 4", "-k foo", "-x", "--maxfail=1", "--co", "--lf", "-p no:junitxml", "tests/unit"]
)
def test_options_of_the_environment_that_disturb_are_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", words)
    pytester.makepyfile(EMPTY)
    done = pytester.runpytest("-m", "failover", "--lab", "nosuchlab")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(f"*PYTEST_ADDOPTS has {words},*env -u PYTEST_ADDOPTS*")


@pytest.mark.parametrize(
    "words", ["", "-qq --tb short", "-rA --color=yes -m slow", "-p no:cacheprovider"]
)
def test_options_of_the_environment_that_change_the_look_alone_are_left(words: str) -> None:
    assert plugin._disturbing(words) == []


@pytest.mark.parametrize("name", ["PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONOPTIMIZE"])
def test_variables_of_pytest_and_python_change_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    done = pytest_run("-m", "failover", "--collect-only", "-q", "--lab", "one")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_worker_isolated[one]" in done.stdout


def test_the_environment_names_the_lab(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_NAME", "field")
    pytester.makepyfile(EMPTY)
    done = pytester.runpytest("-m", "failover", "--collect-only", "-q")
    done.stdout.fnmatch_lines("*::test_it[[]field[]]")


@pytest.mark.parametrize("words", [[], ["-m", "not slow"], ["-n", "1"]])
def test_without_its_marker_no_case_runs_and_a_line_says_so(
    pytester: pytest.Pytester, words: list[str]
) -> None:
    pytester.makepyfile(EMPTY + "def test_of_somebody_else(): pass\n")
    done = pytester.runpytest_subprocess(*words)
    done.assert_outcomes(passed=1, deselected=0 if "-n" in words else 1)
    done.stdout.fnmatch_lines("1 measuring case was left out*`-m failover`")


def test_who_asks_for_other_tests_hears_nothing_of_cases(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(EMPTY + "def test_of_somebody_else(): pass\n")
    done = pytester.runpytest("-m", "not failover")
    done.assert_outcomes(passed=1, deselected=1)
    done.stdout.no_fnmatch_line("*left out*")


def test_the_marker_is_known_under_strict_rules(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(EMPTY)
    done = pytester.runpytest("--strict-markers", "-m", "failover", "--collect-only")
    assert done.ret == 0


BASE_INSTALL = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        missing = {"kubernetes", "docker", "ansible_runner", "jinja2", "psutil", "pydantic",
                   "rich", "platformdirs", "pymysql", "yaml", "lab", "measurements", "grid"}
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def test_a_session_of_somebody_else_needs_nothing_of_a_lab(pytester: pytest.Pytester) -> None:
    """As after `pip install blackstart` alone: the plugin loads, with pytest and no more."""
    pytester.makepyfile("def test_of_somebody_else(): pass\n")
    argv = [sys.executable, "-c", BASE_INSTALL]
    done = pytester.run(*argv, "-p", "no:cacheprovider")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["plugins:*blackstart*", "*1 passed*"])
    done = pytester.run(*argv, "-m", "failover")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines("*pip install 'blackstart[[]lab[]]'*")


@pytest.mark.parametrize(
    ("test", "lab"),
    [("t.py::test_it[a]", "a"), ("t.py::test_it[a-b-3]", "a-b"), ("t.py::test_it[3-a]", "a")],
)
def test_the_lab_of_a_test_stands_among_its_parameters(test: str, lab: str) -> None:
    assert scheduling.lab_of(test, ["a-b", "a"]) == lab
    assert scheduling.lab_of("t.py::test_it", ["a-b", "a"]) is None


def test_labs_are_shared_out_to_workers_whole(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import pytest\n@pytest.fixture(scope='session')\ndef measured(request):"
        "\n    return request.param\n"
    )
    pytester.makepyfile(
        "import pytest, pathlib\n"
        "@pytest.mark.failover\n"
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_it(measured, number, worker_id):\n"
        "    with pathlib.Path('who').open('a') as file: print(measured, worker_id, file=file)\n"
    )
    done = pytester.runpytest_subprocess(
        "-m", "failover", "--lab", "a", "--lab", "b", "-n", "2", "--dist", "loadgroup"
    )
    done.assert_outcomes(passed=8)
    who = (pytester.path / "who").read_text().splitlines()
    assert len(who) == 8
    assert {lab for lab, _ in map(str.split, who)} == {"a", "b"}
    assert len(set(who)) == 2


def test_reports_outside_a_checkout_lie_in_the_current_directory(
    pytester: pytest.Pytester,
) -> None:
    suite = pytester.mkdir("installed")
    fake_lab.write(suite)
    (suite / "pytest.ini").write_text("[pytest]\n")
    here = pytester.mkdir("here")
    pytester.chdir()
    argv = [sys.executable, "-m", "pytest", "-m", "failover", str(suite), "-p", "no:cacheprovider"]
    done = subprocess.run(argv, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (here / "reports" / "latest" / "index.html").is_file()
    assert not (suite / "reports").exists()


def test_reports_of_a_checkout_lie_in_the_checkout(pytester: pytest.Pytester) -> None:
    (pytester.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    suite = pytester.mkdir("tests") / "failover"
    suite.mkdir()
    fake_lab.write(suite)
    argv = [sys.executable, "-m", "pytest", "-m", "failover", "-p", "no:cacheprovider"]
    done = subprocess.run(argv, cwd=suite, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (pytester.path / "reports" / "latest" / "index.html").is_file()
