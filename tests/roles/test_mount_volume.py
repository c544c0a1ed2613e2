"""The service that mounts GlusterFS' volume, and ends what writes to it with the mount."""

import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.modules import loaded

SCRIPT = Path(__file__).parents[2] / "playbooks/roles/storage/files/mount_volume.py"
VOLUME = "/var/lib/blackstart/gluster"
MOUNTED = f"31 1 0:50 / {VOLUME} rw - fuse.glusterfs v rw\n"
LOST = (
    "[2026-11-28 05:46:33.971244 +0000] W [MSGID: 108001] [afr-common.c:6423:afr_notify] "
    "0-blackstart-replicate-0: Client-quorum is not met"
)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    module = loaded(SCRIPT)
    monkeypatch.setattr(module, "PROC", tmp_path)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    module.ran = []
    monkeypatch.setattr(module.subprocess, "run", lambda argv, **_: module.ran.append(argv[0]))
    return module


class Processes:
    """Processes of a node in a directory that stands for /proc, and those that were killed."""

    def __init__(self, place: Path, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.killed: list[tuple[int, int]] = []
        self._really = os.kill
        monkeypatch.setattr(script.os, "kill", self.kill)
        self.has("self", namespace="host", mountinfo=MOUNTED)

    def kill(self, process: int, sent: int) -> None:
        if (self.place / str(process)).is_dir():
            self.killed.append((process, sent))
        else:
            self._really(process, sent)

    def has(self, name: object, *, namespace: str, mountinfo: str, opened: str = "") -> None:
        place = self.place / str(name)
        (place / "ns").mkdir(parents=True)
        (place / "ns/mnt").symlink_to(f"mnt:[{namespace}]")
        (place / "mountinfo").write_text(mountinfo)
        (place / "fdinfo").mkdir()
        (place / "fdinfo/3").write_text(f"pos:\t0\nflags:\t02\nmnt_id:\t{opened}\nino:\t7\n")


@pytest.fixture
def processes(tmp_path: Path, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Processes:
    found = Processes(tmp_path, script, monkeypatch)
    inside = "31 1 0:7 / / rw - overlay o rw\n77 31 0:50 /mysql /var/lib/mysql rw - fuse v rw\n"
    found.has(100, namespace="mysql", mountinfo=inside, opened="77")
    # A pod that sees the volume and has another file open, one that doesn't, and the node's own.
    found.has(101, namespace="exporter", mountinfo=inside, opened="31")
    found.has(102, namespace="pdc", mountinfo="31 1 0:8 / / rw - overlay o rw\n", opened="31")
    found.has(103, namespace="host", mountinfo=MOUNTED, opened="31")
    # One that ends while it is looked at.
    (tmp_path / "104/ns").mkdir(parents=True)
    return found


def client(*says: str, then: str = "") -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import os,sys,time; [print(t, file=sys.stderr, flush=True) for t in {[*says]}]; {then}",
    ]


@pytest.mark.parametrize(
    "ran",
    [
        client("mounted", LOST, then="time.sleep(60)"),
        client("mounted", then="sys.exit(3)"),
        client("mounted", then="os.kill(os.getpid(), 9)"),
        client("mounted"),
    ],
    ids=["majority", "ended", "killed", "stopped"],
)
def test_containers_that_write_end_with_the_client(script, processes, ran):
    script.main(VOLUME, *ran)
    assert processes.killed == [(100, signal.SIGKILL)]


def test_a_client_without_a_majority_is_ended_at_once(script, processes, capfd):
    assert script.main(VOLUME, *client(LOST, then="time.sleep(60)")) == -signal.SIGKILL
    said = capfd.readouterr()
    assert LOST in said.err
    assert "majority of the replicas is away" in said.out


def test_a_client_with_a_majority_goes_on(script, processes):
    says = ("0-blackstart-client-1: disconnected from client", "Client-quorum is met")
    assert script.main(VOLUME, *client(*says, then="time.sleep(0.3); sys.exit(7)")) == 7


CLOSED = f"30 1 0:49 / {VOLUME} ro - tmpfs blackstart-closed ro\n"


@pytest.mark.parametrize(
    ("before", "does"),
    [
        ("", ["mount"]),
        (CLOSED, []),
        (CLOSED + MOUNTED, ["umount"]),
    ],
    ids=["new", "closed", "left by a client that was killed"],
)
def test_nothing_can_be_made_where_the_volume_is_not_mounted(script, processes, before, does):
    (processes.place / "self/mountinfo").write_text(f"1 0 0:7 / / rw - overlay o rw\n{before}")
    script.unmount(VOLUME)
    script.close(VOLUME)
    assert script.ran == does


def test_what_closes_the_mount_point_is_no_volume(script, processes):
    """Its end would else be taken for that of containers with files on it."""
    (processes.place / "self/mountinfo").write_text(CLOSED)
    assert script.device_of(VOLUME) == ""


def test_a_volume_that_was_never_mounted_has_no_writers(script, processes):
    (processes.place / "self/mountinfo").write_text("1 0 0:7 / / rw - overlay o rw\n")
    script.main(VOLUME, *client("no server answers", then="sys.exit(1)"))
    assert processes.killed == []
