"""Every role has the same shape, and says of itself what its defaults are."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
ROLES = sorted(path for path in (PLAYBOOKS / "roles").iterdir() if path.is_dir())
STEPS = ("preflight", "install", "configure", "run")


def read(file: Path):
    return yaml.safe_load(file.read_text())


def test_there_are_roles():
    assert len(ROLES) >= 8


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_argument_specs_equal_defaults(role):
    defaults = read(role / "defaults" / "main.yml")
    options = read(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: option["default"] for name, option in options.items()} == defaults


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_argument_is_described_and_typed(role):
    options = read(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    for name, option in options.items():
        assert name.startswith(f"{role.name}_"), f"{name} lacks the role's prefix"
        assert option["description"]
        assert option["type"]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_main_is_a_list_of_steps_in_order(role):
    tasks = read(role / "tasks" / "main.yml")
    steps = [step for task in tasks for step in task["tags"]]
    assert steps == [step for step in STEPS if step in steps]
    for task, step in zip(tasks, steps, strict=True):
        assert task["ansible.builtin.import_tasks"] == f"{step}.yml"
        assert (role / "tasks" / f"{step}.yml").exists()


@pytest.mark.parametrize("distribution", ["k3s", "kubeadm"])
def test_site_is_valid_for(distribution):
    done = subprocess.run(
        [
            "ansible-playbook",
            "--syntax-check",
            *("-i", "../inventories/embedded/hosts.yml"),
            *("-e", f"lab_distribution={distribution}"),
            "site.yml",
        ],
        cwd=PLAYBOOKS,
        env={**os.environ, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
