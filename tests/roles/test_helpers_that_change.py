"""The shell helpers that change a node: each prints what it changed, or would change."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
RUN_UNIT = "files/run_unit.sh"
KUBECTL = "files/kubectl.sh"
IMPORT = "roles/containerd/files/import_images.sh"
DIRECTORIES = "roles/storage/files/directories.sh"
CAN_CARRY = "roles/storage/files/can_carry.sh"
PLACES = {"root": "/var/lib/containerd", "kubectl": "/usr/local/bin/kubectl"}
"""What stands for a part of this machine in a helper's text."""


class Machine:
    """A machine whose programs note what they are asked for."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.notes = place / "notes"
        self.notes.touch()

    def has(self, name: str, script: str = "true") -> Path:
        program = self.place / name
        program.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.notes}"\n{script}\n')
        program.chmod(0o755)
        return program

    def run(self, helper: str, *arguments: object, **replaced: str) -> "Said":
        text = (PLAYBOOKS / helper).read_text()
        for place, other in replaced.items():
            text = text.replace(PLACES[place], other)
        return Said(
            subprocess.run(
                ["bash", "-c", text, helper, *map(str, arguments)],
                env={"PATH": f"{self.place}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
                timeout=20,
            )
        )

    def asked(self, word: str) -> list[str]:
        return [line for line in self.notes.read_text().splitlines() if word in line]


class Said:
    """What a helper printed, and how it ended."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.lines = done.stdout.splitlines()
        self.code = done.returncode
        self.error = done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def systemctl(*, enabled: bool, active: bool, stale: bool = False) -> str:
    return f"""case "$*" in
  *NeedDaemonReload*) echo {"yes" if stale else "no"};;
  is-enabled*) {"true" if enabled else "false"};;
  is-active*) {"true" if active else "false"};;
esac"""


@pytest.mark.parametrize(
    ("state", "enabled", "active", "said"),
    [
        ("started", True, True, []),
        ("started", False, True, ["enabled u"]),
        ("started", True, False, ["started u"]),
        ("enabled", False, False, ["enabled u"]),
        ("enabled", True, False, []),
        ("restarted", True, True, ["restarted u"]),
    ],
)
def test_a_unit_is_run_as_it_shall(
    machine: Machine, state: str, enabled: bool, active: bool, said: list[str]
) -> None:
    machine.has("systemctl", systemctl(enabled=enabled, active=active))
    would = machine.run(RUN_UNIT, "look", state, "u")
    assert would.lines == said
    assert machine.asked("able --quiet") + machine.asked("start ") == []
    assert machine.run(RUN_UNIT, "do", state, "u").lines == said
    verbs = [f"systemctl {line.split()[0].removesuffix('ed')}" for line in said]
    for verb in verbs:
        assert machine.asked(verb), verb


def test_a_unit_whose_file_changed_is_read_again_first(machine: Machine) -> None:
    machine.has("systemctl", systemctl(enabled=True, active=True, stale=True))
    machine.run(RUN_UNIT, "look", "restarted", "u")
    assert machine.asked("daemon-reload") == []
    machine.run(RUN_UNIT, "do", "restarted", "u")
    assert machine.asked("daemon-reload") == ["systemctl daemon-reload"]
    assert machine.asked("")[-1] == "systemctl restart u"


def test_a_unit_that_does_not_start_fails(machine: Machine) -> None:
    machine.has(
        "systemctl",
        'case "$*" in is-active*) exit 3;; start*) echo "Job failed." >&2; exit 1;; esac',
    )
    said = machine.run(RUN_UNIT, "do", "started", "u")
    assert said.code != 0
    assert "Job failed." in said.error


def test_only_what_changed_of_the_cluster_is_printed(machine: Machine) -> None:
    lines = ("a unchanged", "b configured", "c patched (no change)", "d unchanged (dry run)")
    kubectl = machine.has("kubectl", f"printf '%s\\n' {shlex.join(lines)}")
    said = machine.run(KUBECTL, "look", "a config", "apply", "--filename=-", kubectl=str(kubectl))
    assert said.lines == ["b configured"]
    assert machine.asked("") == [
        "kubectl --kubeconfig=a config apply --filename=- --openapi-patch=false --dry-run=server"
    ]


def test_what_the_cluster_refuses_fails(machine: Machine) -> None:
    kubectl = machine.has("kubectl", "echo 'error: refused' >&2; exit 1")
    said = machine.run(KUBECTL, "do", "config", "apply", kubectl=str(kubectl))
    assert said.code == 1
    assert said.error == "error: refused\n"


def test_images_are_imported_once(machine: Machine) -> None:
    machine.has("ctr", "echo unpacking")
    arguments = (machine.place, "grid/v1/grid.tar", "dns/v2/dns.tar")
    here = {"root": str(machine.place)}
    would = machine.run(IMPORT, "look", *arguments, **here)
    assert would.lines == ["grid/v1/grid.tar", "dns/v2/dns.tar"]
    assert machine.asked("ctr") == []
    assert machine.run(IMPORT, "do", *arguments, **here).lines == would.lines
    again = machine.run(IMPORT, "do", *arguments, **here)
    assert (again.lines, again.code) == ([], 0)
    assert len(machine.asked("images import /")) == 2


def test_an_import_that_has_begun_is_waited_for_and_not_done_twice(machine: Machine) -> None:
    machine.has("ctr", "sleep 1")
    machine.has("systemctl", "exit 3")
    machine.has(
        "systemd-run", 'while [ "${1#--}" != "$1" ]; do shift; done; "$@" >/dev/null 2>&1 &'
    )
    arguments = (machine.place, "grid/v1/grid.tar", "dns/v2/dns.tar")
    here = {"root": str(machine.place)}
    begun = machine.run(IMPORT, "begin", *arguments, **here)
    assert (begun.lines, begun.code) == (["grid/v1/grid.tar", "dns/v2/dns.tar"], 0)
    assert len(machine.asked("images import /")) < 2
    assert machine.run(IMPORT, "do", *arguments, **here).code == 0
    assert len(machine.asked("images import /")) == 2
    assert machine.run(IMPORT, "begin", *arguments, **here).lines == []


def test_an_import_that_goes_on_is_not_begun_twice(machine: Machine) -> None:
    machine.has("systemctl", "exit 0")
    machine.has("systemd-run", "exit 1")
    here = {"root": str(machine.place)}
    said = machine.run(IMPORT, "begin", machine.place, "grid/v1/grid.tar", **here)
    assert (said.lines, said.code) == (["grid/v1/grid.tar"], 0)
    assert machine.asked("systemd-run") == []


def test_an_image_that_is_refused_is_imported_again(machine: Machine) -> None:
    here = {"root": str(machine.place)}
    machine.has("ctr", "echo 'no space left' >&2; exit 1")
    for _ in range(2):
        said = machine.run(IMPORT, "do", machine.place, "grid/v1/grid.tar", **here)
        assert said.code != 0
        assert "no space left" in said.error
    assert len(machine.asked("images import /")) == 2


def test_volumes_have_directories_with_owner_and_mode(machine: Machine) -> None:
    own = f"{os.getuid()}:{os.getgid()}"
    place = machine.place / "volumes"
    arguments = (place, f"mysql:{own}", f"other:{own}")
    assert len(machine.run(DIRECTORIES, "look", *arguments).lines) == 2
    assert not place.exists()
    assert machine.run(DIRECTORIES, "do", *arguments).lines == [f"{place}/mysql", f"{place}/other"]
    assert (place / "mysql").stat().st_mode & 0o7777 == 0o750
    said = machine.run(DIRECTORIES, "do", *arguments)
    assert (said.lines, said.code) == ([], 0)
    (place / "mysql").chmod(0o2750)
    assert machine.run(DIRECTORIES, "do", *arguments).lines == [f"{place}/mysql"]


def test_what_a_node_lacks_is_printed(machine: Machine) -> None:
    said = machine.run(CAN_CARRY, "/nowhere/one", machine.place, "/nowhere/two")
    assert (said.lines, said.code) == (["/nowhere/one", "/nowhere/two"], 1)
    said = machine.run(CAN_CARRY, machine.place)
    assert (said.lines, said.code) == ([], 0)
