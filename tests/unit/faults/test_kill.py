"""The search for a container's main process, in real cgroups and process namespaces."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.console.errors import LabError
from lab.faults.kill import Kill, Process
from lab.host.command import Result, run
from lab.nodes.node import Node, Ssh

ID = "7d0c" * 16


@dataclass(frozen=True, kw_only=True)
class Here(Node):
    """This machine, with another directory in place of /proc where one is given."""

    proc: Path = Path("/proc")

    def run(
        self, argv: Sequence[str], *, stdin: str = "", timeout_s: float = 60, check: bool = True
    ) -> Result:
        words = [word.replace("/proc/", f"{self.proc}/") for word in argv]
        return run(words, stdin=stdin, timeout_s=timeout_s, check=check)


def here(proc: Path = Path("/proc")) -> Here:
    ssh = Ssh(key=Path("none"), known_hosts=Path("none"))
    return Here(
        name="worker-1", cluster="x", role="worker", address="127.0.0.1", ssh=ssh, proc=proc
    )


def entry(proc: Path, pid: int, *, cgroup: str, inner: str, comm: str, started: int) -> None:
    """Write what the search reads of one process."""
    directory = proc / str(pid)
    directory.mkdir()
    (directory / "cgroup").write_text(cgroup)
    (directory / "comm").write_text(f"{comm}\n")
    (directory / "status").write_text(
        f"Name:\t{comm}\nNStgid:\t{pid}\nNSpid:\t{inner}\nSeccomp: 0\n"
    )
    fields = " ".join(["S", *["0"] * 18, str(started), "0", "0"])
    (directory / "stat").write_text(f"{pid} ({comm}) {fields}\n")


FIRST = f"12:devices:/kubepods.slice/pod1/cri-containerd-{ID}.scope\n1:name=systemd:/x\n"
SECOND = f"0::/kubepods/burstable/pod1/{ID}\n"
OTHER = f"0::/kubepods/burstable/pod1/{'1' * 64}\n"


@pytest.mark.parametrize("cgroup", [FIRST, SECOND], ids=["cgroup v1, systemd", "cgroup v2"])
def test_the_main_process_is_number_one_in_the_container(tmp_path: Path, cgroup: str) -> None:
    entry(tmp_path, 70, cgroup=OTHER, inner="70\t1", comm="pause", started=5)
    entry(tmp_path, 71, cgroup=cgroup, inner="71\t1", comm="odd (name) x", started=6)
    entry(tmp_path, 72, cgroup=cgroup, inner="72\t8", comm="child", started=7)
    fault = Kill(node=here(tmp_path), pod="grid/pdc-higher-x", container_id=f"containerd://{ID}")
    fault.prepare(1)
    assert fault.victim is not None
    assert (fault.victim.pid, fault.victim.started) == (71, 6)
    assert fault.victim.command == "odd (name) x"


def test_a_container_that_is_not_on_the_node_is_refused(tmp_path: Path) -> None:
    entry(tmp_path, 70, cgroup=OTHER, inner="70\t1", comm="pause", started=5)
    fault = Kill(node=here(tmp_path), pod="grid/pdc", container_id=f"containerd://{ID}")
    with pytest.raises(LabError, match="0 main processes on worker-1"):
        fault.prepare(1)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that sleeps."""
    child = subprocess.Popen(["sleep", "60"])
    yield child
    child.kill()
    child.wait()


def test_only_the_process_that_was_found_is_killed(process: subprocess.Popen[bytes]) -> None:
    """A process of the same number that started at another time is somebody else's."""
    fault = prepared(process)
    assert fault.victim is not None
    object.__setattr__(fault.victim, "started", fault.victim.started - 1)
    with pytest.raises(LabError, match="had ended before it could be killed"):
        fault.start()
    assert process.poll() is None


def test_a_killed_process_is_seen_to_be_gone(process: subprocess.Popen[bytes]) -> None:
    fault = prepared(process)
    fault.start()
    fault.verify()
    assert process.wait(2) == -9


def test_a_process_that_lives_on_is_noticed(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(LabError, match="outlived SIGKILL"):
        prepared(process).verify()


def prepared(process: subprocess.Popen[bytes]) -> Kill:
    """Return the fault for `process`; its own cgroup stands in for a container's."""
    proc = Path(f"/proc/{process.pid}")
    cgroup = proc.joinpath("cgroup").read_text().splitlines()[0].rpartition(":")[2]
    started = int(proc.joinpath("stat").read_text().rpartition(") ")[2].split()[19])
    fault = Kill(node=here(), pod="grid/pdc", container_id=cgroup.rpartition("/")[2] or "/")
    fault.victim = Process(pid=process.pid, started=started, command="sleep")
    return fault
