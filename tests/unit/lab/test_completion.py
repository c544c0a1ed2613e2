"""What Tab gives, and that the words which it knows are those of the verbs."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from lab.commands import cli
from lab.commands.completion import answer, vocabulary
from lab.nodes.state import StateDirectory

WORKLOADS = Path(__file__).parents[3] / "workloads" / "base"


@pytest.fixture(autouse=True)
def labs(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    StateDirectory("blackstart").remember_hosts({"server-1": "server", "worker-1": "worker"})
    StateDirectory("second").remember_hosts({"only": "server"})


def options_of(command) -> set[str]:
    return {name for one in command.params for name in one.opts if name.startswith("-")}


@pytest.mark.parametrize("verb", cli.VERBS)
def test_the_options_are_those_that_the_verb_declares(verb):
    declared = typer.main.get_command(import_module(cli.MODULES[verb]).app)
    assert set(vocabulary.OPTIONS[verb]) == options_of(declared)


def test_the_verbs_are_all_verbs():
    assert tuple(vocabulary.OPTIONS) == (*cli.VERBS, "help")
    declared = options_of(typer.main.get_command(cli.app))
    assert declared == set(vocabulary.BEFORE_THE_VERB)


def test_the_workloads_are_those_of_the_manifests():
    apps = {folder.name for folder in WORKLOADS.iterdir() if folder.is_dir()}
    assert set(vocabulary.WORKLOADS) == apps - {"pmu", "pdc"}  # what theirs are made of


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("st", ["stop", "start", "status"]),
        ("--na", ["--name"]),
        ("status --", ["--name", "--json", "--help"]),
        ("ssh ", ["server-1", "worker-1"]),
        ("ssh --name second ", ["only"]),
        ("--name=second ssh ", ["only"]),
        ("ssh worker-1 --n", ["--name"]),
        ("ssh worker-1 ", []),
        ("ssh worker-1 ls --n", []),
        ("logs pdc", ["pdc-higher", "pdc-lower"]),
        ("logs w", ["worker-1"]),
        ("logs -n ", []),
        ("status --name s", ["second"]),
        ("--name ", ["blackstart", "second"]),
        ("help he", ["heal", "help"]),
        ("kubectl --", ["--name", "--help"]),
        ("kubectl get --", []),
        ("nix --", ["--help"]),
    ],
)
def test_what_fits(line, found):
    *words, begun = line.split(" ")
    assert answer.candidates(words, begun, {}) == found


def test_the_lab_of_the_environment_is_meant():
    assert answer.candidates(["ssh"], "", {"LAB_NAME": "second"}) == ["only"]


def ask(**variables: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-X", "importtime", "-c", "from lab.__main__ import main; main()"]
    return subprocess.run(
        argv, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def test_each_shell_gets_the_words_in_its_form():
    bash = ask(_LAB_COMPLETE="complete_bash", COMP_WORDS="lab\nssh\nw", COMP_CWORD="2")
    assert bash.stdout == "worker-1\n"
    zsh = ask(_LAB_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="lab ssh ")
    assert zsh.stdout == '_arguments \'*: :(("server-1"\n"worker-1"))\'\n'
    fish = {"_LAB_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "lab up -i "}
    assert ask(**fish, _TYPER_COMPLETE_FISH_ACTION="is-args").returncode == 1
    fish["_TYPER_COMPLETE_ARGS"] = "lab s"
    assert ask(**fish, _TYPER_COMPLETE_FISH_ACTION="is-args").returncode == 0
    said = ask(**fish, _TYPER_COMPLETE_FISH_ACTION="get-args").stdout
    assert said == "stop\nstart\nstatus\nssh\n"


def test_an_answer_imports_no_heavy_library():
    done = ask(_LAB_COMPLETE="complete_bash", COMP_WORDS="lab\n", COMP_CWORD="1")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"typer", "rich", "pydantic", "docker", "kubernetes", "yaml"}
    assert not {name.partition(".")[0] for name in imported} & heavy


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program `lab` of this Python into the search path, as an installed kit has it."""
    file = tmp_path / "bin" / "lab"
    file.parent.mkdir()
    file.write_text(f"#!{sys.executable}\nfrom lab.__main__ import main\nmain()\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(cli.__file__).parents[2]))
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")


def script(shell: str) -> str:
    argv = ["lab", "--show-completion", shell]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_of_the_shells_ask_in_that_form(shell):
    assert f"_LAB_COMPLETE=complete_{shell}" in script(shell)


@pytest.mark.usefixtures("program")
def test_bash_completes_a_line():
    line = "COMP_WORDS=(lab ssh w); COMP_CWORD=2; _lab_completion lab; echo ${COMPREPLY[@]}"
    argv = ["bash", "-c", f"{script('bash')}\n{line}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "worker-1\n"
