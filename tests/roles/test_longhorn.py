"""What the role storage asks of a node and of Longhorn, with answers that a test makes up."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.modules import loaded

FILES = Path(__file__).parents[2] / "playbooks/roles/storage/files"
PROGRAMS = ("iscsiadm", "mount.nfs", "cryptsetup", "dmsetup")


def engine(state: str) -> dict[str, Any]:
    return {"metadata": {"name": "ei-1"}, "status": {"state": state}}


def node(name: str, **conditions: str) -> dict[str, Any]:
    found = {"Ready": "True", "Schedulable": "True", **conditions}
    return {
        "metadata": {"name": name},
        "status": {
            "conditions": [
                {"type": kind, "status": status, "message": f"why {kind}"}
                for kind, status in found.items()
            ]
        },
    }


@pytest.mark.parametrize(
    ("engines", "nodes", "said"),
    [
        ([engine("deployed")], [node("a"), node("b", MountPropagation="True")], []),
        ([], [node("a"), node("b")], ["there is no engine image"]),
        ([engine("deploying")], [node("a"), node("b")], ["the engine image ei-1 is deploying"]),
        ([engine("deployed")], [node("a")], ["it knows 1 of 2 nodes"]),
        (
            [engine("deployed")],
            [node("a", Schedulable="False"), node("b", KernelModulesLoaded="False")],
            ["a is not Schedulable: why Schedulable", "b is not KernelModulesLoaded: why Kernel"],
        ),
        # Packages for shared volumes, that a block volume does without.
        ([engine("deployed")], [node("a"), node("b", NFSClientInstalled="False")], []),
        (
            [engine("deployed")],
            [node("a"), {"metadata": {"name": "b"}}],
            ["b is not Ready: not said yet", "b is not Schedulable: not said yet"],
        ),
    ],
)
def test_longhorn_is_ready_with_its_engine_on_nodes_that_take_replicas(engines, nodes, said):
    found = loaded(FILES / "longhorn_ready.py").lacking(engines, nodes, 2)
    assert len(found) == len(said)
    assert all(one.startswith(begin) for one, begin in zip(found, said, strict=True))


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a directory with the programs of a machine that has all of it."""
    for name in PROGRAMS:
        program(tmp_path / name, "exit 0")
    program(tmp_path / "modprobe", "exit 0")
    program(tmp_path / "systemctl", "exit 3")
    for name in ("sh", "grep", "uname", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    return tmp_path


def program(path: Path, does: str) -> None:
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def lacks(machine: Path) -> dict[str, list[str]]:
    """Return what the node is said to lack, by kind; the machine's own programs don't count."""
    script = (FILES / "longhorn_node.sh").read_text().replace(":/usr/sbin:/sbin", "")
    done = subprocess.run(
        ["/bin/sh", "-s"],
        input=script,
        env={**os.environ, "PATH": str(machine)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["machine"] == os.uname().machine
    found: dict[str, list[str]] = {}
    for lack in said["lacks"]:
        found.setdefault(lack["kind"], []).append(lack["what"])
    return found


def test_a_machine_that_has_all_lacks_nothing(machine):
    assert lacks(machine) == {}


def test_programs_that_are_missing_can_be_installed(machine):
    (machine / "iscsiadm").unlink()
    assert lacks(machine) == {"program": ["iscsiadm is not installed"]}


@pytest.mark.skipif(Path("/sys/module/iscsi_tcp").exists(), reason="this kernel has iSCSI loaded")
def test_a_kernel_without_iscsi_is_named(machine):
    program(machine / "modprobe", '[ "$3" != iscsi_tcp ]')
    assert lacks(machine) == {
        "kernel": [f"its kernel {os.uname().release} has no module iscsi_tcp"]
    }


def test_multipath_that_would_take_the_devices_is_named_with_the_cure(machine):
    program(machine / "systemctl", '[ "$3" = multipathd.service ]')
    (said,) = lacks(machine)["service"]
    assert "systemctl mask --now multipathd.socket multipathd.service" in said
