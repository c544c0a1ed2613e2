"""Every role has the same shape, and says of itself what its defaults are."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
INVENTORY = PLAYBOOKS.parent / "inventories" / "embedded" / "hosts.yml"
ROLES = sorted(path for path in (PLAYBOOKS / "roles").iterdir() if path.is_dir())
STEPS = ("preflight", "install", "configure", "run")
PARTS = {"defaults", "files", "handlers", "meta", "tasks", "templates", "vars", "README.md"}
FACTS = "ansible.builtin.set_fact"
INCLUDE = "ansible.builtin.include_role"
TRACELESS = {"dns"}
"""Roles that put nothing on a machine: what they make is in the cluster."""
each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def options(role: Path) -> dict[str, Any]:
    return read(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


def tasks_of(file: Path) -> Iterator[dict[str, Any]]:
    """Yield every task of a file of tasks or plays, those of blocks too."""
    waiting = list(read(file))
    while waiting:
        task = waiting.pop()
        yield task
        for part in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers"):
            waiting += task.get(part, [])


def tasks_of_role(role: Path) -> Iterator[dict[str, Any]]:
    for folder in ("tasks", "handlers"):
        for file in sorted((role / folder).glob("*.yml")):
            yield from tasks_of(file)


def plays_of(playbook: str) -> Iterator[dict[str, Any]]:
    """Yield the plays of a playbook, those of playbooks that it imports too."""
    for play in read(PLAYBOOKS / playbook):
        imported = play.get("ansible.builtin.import_playbook")
        yield from plays_of(imported) if imported else [play]


def roles_of(playbook: str) -> set[str]:
    """Return the roles that a playbook uses, those that its roles include too."""
    names: set[str] = set()
    for play in plays_of(playbook):
        names |= {role["role"] for role in play.get("roles", [])}
        for part in ("pre_tasks", "tasks"):
            names |= {task[INCLUDE]["name"] for task in play.get(part, []) if INCLUDE in task}
    included = {
        task[INCLUDE]["name"]
        for name in names
        for task in tasks_of_role(PLAYBOOKS / "roles" / name)
        if INCLUDE in task
    }
    return names | {name for name in included if "{{" not in name}


def test_there_are_roles():
    assert len(ROLES) >= 8


@each_role
def test_a_role_has_the_parts_of_a_role(role):
    parts = {path.name for path in role.iterdir()}
    assert parts >= {"defaults", "meta", "tasks", "README.md"}
    assert parts <= PARTS


@each_role
def test_argument_specs_equal_defaults(role):
    defaults = read(role / "defaults" / "main.yml")
    assert {name: option["default"] for name, option in options(role).items()} == defaults


@each_role
def test_every_argument_is_described_and_typed(role):
    for name, option in options(role).items():
        assert name.startswith(f"{role.name}_"), f"{name} lacks the role's prefix"
        assert option["description"]
        assert option["type"]


@each_role
def test_main_is_a_list_of_steps_in_order(role):
    tasks = read(role / "tasks" / "main.yml")
    steps = [step for task in tasks for step in task["tags"]]
    assert steps == [step for step in STEPS if step in steps]
    for task, step in zip(tasks, steps, strict=True):
        assert task["ansible.builtin.import_tasks"] == f"{step}.yml"
        assert (role / "tasks" / f"{step}.yml").exists()


@each_role
def test_registers_are_named_after_the_role_and_what_they_hold(role):
    names = {task["register"] for task in tasks_of_role(role) if "register" in task}
    wrong = {name for name in names if not re.fullmatch(rf"__{role.name}_[a-z0-9_]+", name)}
    assert not wrong, f"they should begin with __{role.name}_"


@each_role
def test_other_variables_of_a_role_begin_with_its_name(role):
    """Private ones with an underscore before it; facts for other roles stand in the README."""
    private = re.compile(rf"_{role.name}_[a-z0-9_]+")
    names = set(read(role / "vars" / "main.yml")) if (role / "vars").exists() else set()
    for task in tasks_of_role(role):
        if "ansible.builtin.include_role" in task:  # They are the other role's arguments.
            assert all(
                name.startswith(task["ansible.builtin.include_role"]["name"])
                for name in task.get("vars", {})
            )
            continue
        names |= task.get("vars", {}).keys()
    # Connection variables of Ansible's own.
    wrong = {n for n in names if not private.fullmatch(n) and not n.startswith("ansible_")}
    assert not wrong, f"they should begin with _{role.name}_"
    readme = (role / "README.md").read_text()
    for task in tasks_of_role(role):
        for fact in task.get(FACTS, {}):
            if not private.fullmatch(fact):
                assert fact.startswith(f"{role.name}_")
                assert f"`{fact}`" in readme


@pytest.mark.parametrize("file", sorted(PLAYBOOKS.glob("*.yml")), ids=lambda file: file.stem)
def test_playbooks_leave_work_to_roles(file):
    """No registers, no facts: a playbook says which roles are for which hosts."""
    for task in tasks_of(file):
        assert "register" not in task
        assert FACTS not in task


def test_what_the_site_puts_on_a_machine_is_taken_away_by_the_same_roles():
    (_, play) = read(PLAYBOOKS / "uninstall.yml")
    (task,) = play["tasks"]
    assert sorted(task["loop"]) == sorted(roles_of("site.yml") - TRACELESS)
    for role in task["loop"]:
        assert (PLAYBOOKS / "roles" / role / "tasks" / "uninstall.yml").exists()
    for role in TRACELESS:
        assert "puts nothing on a machine" in (PLAYBOOKS / "roles" / role / "README.md").read_text()


@pytest.mark.parametrize(
    ("role", "template"), [("containerd", "config.toml.j2"), ("endpoint", "haproxy.cfg.j2")]
)
def test_a_role_knows_its_own_file_from_the_machine_s(role, template):
    folder = PLAYBOOKS / "roles" / role
    own = read(folder / "vars" / "main.yml")[f"_{role}_own"]
    assert own in (folder / "templates" / template).read_text()


def test_output_of_helpers_is_read_by_name():
    files = [
        path
        for path in PLAYBOOKS.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    lines = r"stdout_lines(\[|\.\d|\s*\|\s*(first|last))"
    by_number = re.compile(rf"{lines}|\.split\(\)\s*\[")
    assert [path for path in files if by_number.search(path.read_text())] == []


@each_role
def test_the_readme_names_variables_that_exist(role):
    text = (role / "README.md").read_text()
    assert text.startswith(f"# {role.name}\n")
    assert "(meta/argument_specs.yml)" in text
    assert f"role: {role.name}\n" in text, "there is no example"
    known = set(options(role)) | {
        fact for task in tasks_of_role(role) for fact in task.get(FACTS, {})
    }
    named = set(re.findall(rf"\b{role.name}_[a-z0-9_]+", text))
    assert named - known == set()
    # What it links to is there.
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert [link for link in links if not (role / link).exists()] == []


@each_role
def test_assertions_say_what_to_do(role):
    for task in tasks_of_role(role):
        if "ansible.builtin.assert" in task:
            assert task["ansible.builtin.assert"]["fail_msg"]


def test_defaults_of_releases_are_those_of_the_settings():
    settings = read(PLAYBOOKS.parent / "inventories/embedded/group_vars/all.yml")
    defaults = read(PLAYBOOKS / "roles" / "artefacts" / "defaults" / "main.yml")
    for name in ("k3s_version", "kubernetes_version", "k3s_mirror"):
        assert f"default('{settings[f'lab_{name}']}')" in defaults[f"artefacts_{name}"]


def ansible_playbook(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["ansible-playbook", *arguments],
        cwd=cwd,
        env={"PATH": path, "HOME": os.environ["HOME"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("playbook", ["site", "uninstall"])
@pytest.mark.parametrize("distribution", ["auto", "k3s", "kubeadm"])
@pytest.mark.parametrize("cwd", [PLAYBOOKS.parent, PLAYBOOKS], ids=["checkout", "playbooks"])
def test_a_playbook_is_valid_for(playbook, distribution, cwd):
    """Also where playbooks/ansible.cfg isn't read."""
    done = ansible_playbook(
        *("--syntax-check", "-i", str(INVENTORY), "-e", f"lab_distribution={distribution}"),
        str(PLAYBOOKS / f"{playbook}.yml"),
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "WARNING" not in done.stderr


@pytest.mark.parametrize("name", ["site", "k3s", "kubeadm", "workloads"])
def test_every_playbook_finds_its_roles_by_itself(name):
    done = ansible_playbook(
        *("-i", "inventories/embedded/hosts.yml", f"playbooks/{name}.yml", "--list-tasks"),
        cwd=PLAYBOOKS.parent,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Get the artefacts" in done.stdout
