"""The whole suite of commands, as an ordinary user with sudo in a system as it was installed.

Each system is made from its archive with what README.md names, and is gone afterwards. The
artefact cache of this machine is copied in, as building it is the same everywhere.
"""

import json
import re
from collections.abc import Iterator

import pytest

from lab.host import packages
from tests.bare.bare_system import (
    DEBIAN_12,
    UBUNTU_24_04,
    USER,
    Machine,
    booted,
    environment,
)

pytestmark = pytest.mark.bare

CLONE = """
git clone --quiet /srv/blackstart ~/blackstart &&
mkdir -p ~/.cache &&
cp -r /srv/cache ~/.cache/blackstart &&
cp -r ~/blackstart/inventories/embedded ~/one &&
sed -i '/server-[23]:/d; /worker-1:/d' ~/one/hosts.yml
"""
UP_LIMIT_S = 2400.0
IN_CLONE = "cd ~/blackstart && export LAB_NAME=bare LAB_INVENTORY=~/one"
ACTIVE = f"{IN_CLONE} && . .venv/bin/activate"


@pytest.fixture(scope="module", params=[DEBIAN_12, UBUNTU_24_04], ids=lambda system: system.suite)
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Boot a system, and clone this checkout there."""
    with booted(request.param, tmp_path_factory.mktemp(request.param.suite)) as made:
        # The clone reads a repository of another user, as on no machine of one user.
        made.as_root("git", "config", "--system", "--add", "safe.directory", "*")
        assert made.run(CLONE).returncode == 0
        yield made


def lab(machine: Machine, words: str, user: str = USER) -> str:
    """Run a command of the kit that must succeed, and return its output."""
    done = machine.run(f"{ACTIVE} && {words}", user=user)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_up(machine: Machine) -> None:
    code, shown = machine.typed(f"{IN_CLONE} && make lab-up", limit_s=UP_LIMIT_S)
    if code != 0 and "the group docker" in shown:
        # What the refusal says; every command here is a login of its own.
        assert machine.typed(f"sudo usermod -aG docker {USER}")[0] == 0
        code, shown = machine.typed(f"{IN_CLONE} && make lab-up", limit_s=UP_LIMIT_S)
    assert code == 0, shown
    assert "frames flow" in shown
    print(environment(machine))


def test_status(machine: Machine) -> None:
    assert json.loads(lab(machine, "lab status --json"))["healthy"]


def test_ssh(machine: Machine) -> None:
    assert lab(machine, "lab ssh server-1 hostname") == "server-1\n"


def test_kubectl(machine: Machine) -> None:
    assert "pdc-higher" in lab(machine, "lab kubectl get pods -A")


def test_logs(machine: Machine) -> None:
    assert lab(machine, "lab logs pdc-lower")
    assert lab(machine, "lab logs server-1")


def test_kubeconfig(machine: Machine) -> None:
    assert "apiVersion" in lab(machine, 'cat "$(lab kubeconfig)"')


def test_preflight(machine: Machine) -> None:
    assert "system packages: all there" in lab(machine, "lab preflight")


def test_failover(machine: Machine) -> None:
    shown = lab(machine, "pytest -m failover -k pdc --lab bare")
    assert re.search(r"1 passed", shown)


def test_heal(machine: Machine) -> None:
    assert "No fault was in force" in lab(machine, "lab heal")


def test_up_again_changes_nothing(machine: Machine) -> None:
    assert "changed=0" in lab(machine, "lab up")


def test_down(machine: Machine) -> None:
    lab(machine, "lab down")
    done = machine.run(f"{ACTIVE} && lab status")
    assert done.returncode == 1
    assert "There is no lab" in done.stderr
    left = machine.run("ls ~/.local/state/blackstart /tmp")
    assert "bare" not in left.stdout


def test_a_user_of_the_group_docker_needs_no_root(machine: Machine) -> None:
    if not machine.system.more:
        pytest.skip("an engine that runs in a container, on cgroup v1, makes no second lab")
    other = "bob"
    machine.as_root("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "docker", other)
    assert machine.run(CLONE, user=other).returncode == 0
    done = machine.run(f"{IN_CLONE} && make lab-up", user=other, limit_s=UP_LIMIT_S)
    assert done.returncode == 0
    assert "frames flow" in done.stdout
    assert "removed network bare" in lab(machine, "lab down", other)


def test_unit(machine: Machine) -> None:
    # A user of sudo with a password would be asked for it, and these need root.
    programs = packages.TEST_PROGRAMS.values()
    noninteractive = ["env", "DEBIAN_FRONTEND=noninteractive"]
    machine.as_root("apt-get", "-q", "update")
    machine.as_root(*noninteractive, "apt-get", "install", "-qy", "python3-venv", *programs)
    done = machine.run(f"{IN_CLONE} && make unit")
    assert done.returncode == 0
