"""The two actions that run a program on a node, in a playbook whose node is this machine."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_playbook import ansible_playbook

SHELL = """#!/bin/sh
# It's "quoted": ä $HOME `false`
printf '%s|' "$0" "$@" "$SAID"
cat
exit {code}
"""
PYTHON = '''"""It's "quoted": ä."""
import sys
print(*sys.argv[1:], sys.stdin.read(), sep="|", end="")
if __name__ == "__main__":
    sys.exit({code})
'''


class Play:
    """A playbook with tasks, scripts in the files/ beside it, and what it has said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "it's ä place"
        (self.directory / "files").mkdir(parents=True)

    def script(self, name: str, text: str) -> None:
        (self.directory / "files" / name).write_text(text)

    def run(self, *tasks: dict[str, Any], check: bool = False) -> list[dict[str, Any]]:
        """Return the results of the tasks."""
        play, results = self.directory / "play.yml", self.directory / "results.json"
        names = [f"result_{number}" for number, _ in enumerate(tasks)]
        kept = [
            task | {"register": name, "ignore_errors": True}
            for name, task in zip(names, tasks, strict=True)
        ]
        text = "{{ [" + ", ".join(names) + "] | to_json }}"
        keep = {"ansible.builtin.copy": {"content": text, "dest": str(results)}}
        about = {"hosts": "localhost", "connection": "local", "gather_facts": False}
        about["vars"] = {"ansible_python_interpreter": sys.executable}
        play.write_text(json.dumps([about | {"tasks": [*kept, keep | {"check_mode": False}]}]))
        words = ("-i", "localhost,", *(["--check"] if check else []), play)
        done = ansible_playbook(*words, home=self.directory)
        assert done.returncode == 0, done.stdout + done.stderr
        said: list[dict[str, Any]] = json.loads(results.read_text())
        return said


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def node_script(cmd: str, executable: str, **other: Any) -> dict[str, Any]:
    stdin = {"stdin": other.pop("stdin")} if "stdin" in other else {}
    return {"node_script": {"cmd": cmd, "executable": executable} | stdin, **other}


def test_a_script_gets_its_arguments_its_input_and_its_environment(play: Play) -> None:
    play.script("look.sh", SHELL.format(code=0))
    play.script("look.py", PYTHON.format(code=0))
    said = play.run(
        node_script("look.sh 'a b' \"it's\" ä", "sh", stdin="in\nput", environment={"SAID": "x y"}),
        node_script("look.sh", "bash"),
        node_script("look.py 'a b' \"it's\" ä", "python3", stdin="in\nput ä"),
        node_script("look.py", "python3"),
    )
    assert [result["stdout"] for result in said] == [
        "look.sh|a b|it's|ä|x y|in\nput",
        "look.sh||",
        "a b|it's|ä|in\nput ä",
        "",
    ]
    assert all(result["rc"] == 0 and result["changed"] for result in said)


def test_what_a_login_prints_of_its_own_is_no_output_of_the_script(play: Play) -> None:
    login = play.directory.parent / "login"
    login.write_text('#!/bin/sh\necho "Welcome home"\nexec /bin/sh "$@"\n')
    login.chmod(0o755)
    play.script("look.sh", SHELL.format(code=0))
    shell = {"vars": {"ansible_shell_executable": str(login)}}
    entries = [{"path": f"{play.directory}/etc", "directory": True}]
    looked, written = play.run(
        node_script("look.sh a", "sh", **shell), {"node_files": {"entries": entries}, **shell}
    )
    assert looked["stdout"] == "look.sh|a||"
    assert looked["stdout_lines"] == ["look.sh|a||"]
    assert written["paths"] == [f"{play.directory}/etc"]


@pytest.mark.parametrize(("name", "executable"), [("end.sh", "sh"), ("end.py", "python3")])
def test_a_script_that_fails_fails_the_task(play: Play, name: str, executable: str) -> None:
    play.script("end.sh", SHELL.format(code=3))
    play.script("end.py", PYTHON.format(code=3))
    (said,) = play.run(node_script(f"{name} why", executable))
    assert said["failed"]
    assert said["rc"] == 3
    assert "why" in said["stdout"]
    assert said["msg"] == f"{name} ended with 3"


def test_a_script_that_is_not_there_or_can_t_be_run_is_said(play: Play) -> None:
    (said,) = play.run(node_script("nowhere.sh", "sh"))
    assert "nowhere.sh" in said["msg"]
    (said,) = play.run(node_script("nowhere.sh", "perl"))
    assert "python3, bash, sh" in said["msg"]


def test_check_mode_leaves_a_script_out_that_does_not_only_look(play: Play) -> None:
    play.script("look.sh", SHELL.format(code=0))
    left_out, run = play.run(
        node_script("look.sh", "sh"), node_script("look.sh", "sh", check_mode=False), check=True
    )
    assert left_out["skipped"]
    assert left_out["msg"] == "Check mode is not supported for this task."
    assert run["stdout"] == "look.sh||"


def test_a_script_with_a_verb_looks_in_check_mode_and_tells_what_it_changes(play: Play) -> None:
    play.script(
        "tell.sh",
        """#!/bin/sh
test "$2" = nothing || echo "$@"
""",
    )
    tell = {"cmd": "tell.sh something", "executable": "sh", "verb": "do"}
    tasks = [
        {"node_script": tell},
        {"node_script": tell | {"verb": "begin"}},
        {"node_script": tell | {"cmd": "tell.sh nothing"}},
    ]
    said = play.run(*tasks)
    assert [(one["stdout"].strip(), one["changed"]) for one in said] == [
        ("do something", True),
        ("begin something", True),
        ("", False),
    ]
    said = play.run(*tasks, check=True)
    assert [(one["stdout"].strip(), one["changed"]) for one in said] == [
        ("look something", True),
        ("look something", True),
        ("", False),
    ]


def test_files_are_written_once_and_only_looked_at_in_check_mode(play: Play) -> None:
    entries = [
        {"path": f"{play.directory}/etc", "directory": True},
        {"path": f"{play.directory}/etc/file", "content": "it's ä\n", "mode": "0600"},
    ]
    task = {"node_files": {"entries": entries}}
    (would,) = play.run(task, check=True)
    assert would["changed"]
    assert not (play.directory / "etc").exists()
    first, again = play.run(task, task)
    assert first["paths"] == [entry["path"] for entry in entries]
    assert not again["changed"]
    assert (play.directory / "etc/file").read_text() == "it's ä\n"


def test_entries_that_make_no_sense_are_refused(play: Play) -> None:
    (said,) = play.run({"node_files": {"entries": [{"path": "/x/y", "contents": "x"}]}})
    assert "contents" in said["msg"]
    (said,) = play.run({"node_files": {"entries": [{"path": "/nowhere/y", "content": "x"}]}})
    assert "/nowhere/y could not be written: there is no directory above it." in said["msg"]
