"""End the services of Kubernetes on this node, and all pods that they have started.

Runs on the node itself, with Python's standard library only:

    end_pods.py do|look

The services, of either distribution, are stopped and disabled; all processes of them, of pods
and of pods' shims end, and a kubeadm that a playbook which was cut off has left at work; what is
mounted for pods is unmounted, and their cgroups go. Each is known by its cgroup, by what it was
started with, or by its path: what else the machine runs goes on.
Answers in JSON what it did, {"did": []} where nothing was to do; `look` says what it would do.
Ends with 1, and says what is left, where that does not go.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = Path("/run/netns")
UNITS = ("k3s", "k3s-agent", "kubelet")
"""Together: one that went on would start again what is ended."""
STOP_S = 10.0
"""How long a service may take to end by itself; its data are not needed any more."""
GRACE_S = 10.0
"""How long pods may take: a database closes its files, which are kept."""
KILL_S = 10.0
PERIOD_S = 0.2
RUNTIME = Path("/run/containerd")
SHIM = "containerd-shim-runc-v2"
SOCKETS = ("/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock")
"""The machine's containerd, and the one of k3s."""
CONFIGURATION = "/etc/blackstart/"
MOUNTS = (
    "/var/lib/kubelet/",
    "/var/lib/rancher/k3s/",
    "/run/k3s/",
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
    "/run/containerd/io.containerd.grpc.v1.cri/",
    f"{NAMESPACES}/cni-",
)
PODS = r"/kubepods(\.slice)?(/|$)"
"""Begins the cgroups of pods, below the machine's own."""


class Ending:
    """Does, or only notes, what there is to end."""

    def __init__(self, *, changes: bool) -> None:
        self._changes = changes
        self.did: list[str] = []

    def do(self, what: str, action: Callable[[], object]) -> None:
        """Note something, and do it where that is wanted."""
        self.did.append(what)
        if self._changes:
            action()

    def wait(self, limit_s: float, left: Callable[[], object]) -> bool:
        """Wait until nothing is left, where anything was done; tell whether that came."""
        begin = time.monotonic()
        while left():
            if not self._changes or time.monotonic() - begin > limit_s:
                return False
            time.sleep(PERIOD_S)
        return True


def main() -> int:
    """Return the exit code."""
    verb = sys.argv[1]
    ending = Ending(changes=verb == "do")
    try:
        for unit in UNITS:
            end_unit(ending, unit)
        end_processes(ending)
        remove_cgroups(ending)
        unmount(ending)
        remove_sockets(ending)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        print(f"What runs of Kubernetes can't be ended: {' '.join(str(said).split())}")
        return 1
    left = [] if verb == "look" else [*processes(UNITS, started=True), *mounts()]
    if left:
        print(f"These can't be ended, or unmounted: {', '.join(map(str, left))}")
        return 1
    print(json.dumps({"did": ending.did}))
    return 0


def end_unit(ending: Ending, unit: str) -> None:
    """Stop and disable a service, where the machine has it."""

    def state(name: str) -> str:
        return run("systemctl", "show", f"--property={name}", "--value", unit).strip()

    def is_running() -> bool:
        return state("ActiveState") not in ("inactive", "failed")

    def end() -> None:
        run("systemctl", "disable", "--quiet", unit, check=False)
        run("systemctl", "stop", "--no-block", unit, check=False)
        if not ending.wait(STOP_S, is_running):
            run("systemctl", "kill", "--signal=KILL", unit, check=False)
            ending.wait(KILL_S, is_running)
        run("systemctl", "reset-failed", unit, check=False)

    if state("ActiveState") != "inactive" or state("UnitFileState") == "enabled":
        ending.do(f"stopped {unit}", end)


def end_processes(ending: Ending) -> None:
    """End the processes of pods in order, then whatever is left by force."""

    def left() -> list[int]:
        return processes(UNITS, started=True)

    def killed() -> bool:
        send(signal.SIGKILL, left())
        return not left()

    if pods := set(processes(())):
        ending.do(f"ended {len(pods)} processes of pods", lambda: send(signal.SIGTERM, pods))
        ending.wait(GRACE_S, lambda: pods & set(processes(())))
    if left():
        wait = lambda: ending.wait(KILL_S, lambda: not killed())  # noqa: E731
        ending.do("killed what was left of pods and services, and at work for them", wait)


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to processes, of which some may have ended."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def processes(units: Iterable[str], *, started: bool = False) -> list[int]:
    """Return the processes in the cgroups of pods and services, and those started for them."""
    # A node in a container sees cgroups below its own one; those of nodes that run in
    # containers on this machine stand below others.
    tops = {kind: path.removesuffix("/init.scope") for kind, path in cgroups("1").items()}
    services = [rf"/system\.slice/{re.escape(unit)}\.service(/|$)" for unit in units]
    ours = re.compile("|".join([PODS, *services]))
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or entry.name == str(os.getpid()):
            continue
        try:
            for kind, path in cgroups(entry.name).items():
                top = tops.get(kind, "").rstrip("/")
                below = path.removeprefix(top) if path.startswith(f"{top}/") else ""
                if ours.match(below):
                    found.append(int(entry.name))
                    break
            else:
                found += [int(entry.name)] if started and was_started(entry) else []
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return found


def cgroups(pid: str) -> dict[str, str]:
    """Return the cgroups of a process: path by hierarchy."""
    lines = (PROC / pid / "cgroup").read_text().splitlines()
    parts = [line.split(":", 2) for line in lines]
    return {controllers: path for _, controllers, path in parts}


def was_started(process: Path) -> bool:
    """Tell whether a process is a shim of this node's pods, or a kubeadm of the playbooks'.

    Those of nodes that run in containers on this machine are in other process namespaces.
    """
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    name = Path(words[0]).name
    shim = name == SHIM and "k8s.io" in words and any(place in words for place in SOCKETS)
    kubeadm = name == "kubeadm" and any(word.startswith(CONFIGURATION) for word in words)
    if not (shim or kubeadm):
        return False
    return (process / "ns/pid").readlink() == (PROC / "self/ns/pid").readlink()


def remove_cgroups(ending: Ending) -> None:
    """Remove the cgroups of pods: those that systemd keeps, and those that it doesn't."""
    listed = ("systemctl", "list-units", "--all", "--plain", "--no-legend", "--full")
    lines = run(*listed, "kubepods*.slice").splitlines()
    slices = [word for line in lines for word in line.split() if word.endswith(".slice")]
    # Those below another one go with it.
    stop = lambda: run("systemctl", "stop", *slices, check=False)  # noqa: E731
    if slices:
        ending.do("removed the slices of pods", stop)
    # Version 1 has one a controller, of which systemd knows some.
    single = (CGROUPS / "cgroup.controllers").exists()
    if tops := [*CGROUPS.glob("kubepods*" if single else "*/kubepods*")]:
        ending.do("removed the cgroups of pods", lambda: remove_trees(tops))


def remove_trees(tops: Iterable[Path]) -> None:
    """Remove cgroups with all below them; the kernel keeps one that has processes."""
    for top in tops:
        for folder, _, _ in os.walk(top, topdown=False):
            # Two controllers may be one, by two names.
            if Path(folder).exists():
                Path(folder).rmdir()


def unmount(ending: Ending) -> None:
    """Unmount what is mounted for pods; some are mounted more than once."""

    def all_of_them() -> None:
        for options in ((), (), ("--lazy",)):
            for point in mounts():
                run("umount", *options, point, check=False)
        for namespace in NAMESPACES.glob("cni-*"):
            namespace.unlink()
        # It is mounted on itself, for whoever makes the next one.
        if NAMESPACES.is_dir() and not any(NAMESPACES.iterdir()):
            run("umount", str(NAMESPACES), check=False)
            NAMESPACES.rmdir()

    if points := mounts():
        ending.do(f"unmounted {len(points)} file systems of pods", all_of_them)


def mounts() -> list[str]:
    """Return what is mounted for pods, the last first."""
    points = []
    for line in (PROC / "self/mountinfo").read_text().splitlines():
        # The kernel writes a space as \040, and other odd characters alike.
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4])
        if point.startswith(MOUNTS):
            points.append(point)
    return points[::-1]


def remove_sockets(ending: Ending) -> None:
    """Remove what k3s' containerd has left where the machine's own keeps its files too."""
    if run("systemctl", "is-active", "containerd", check=False).strip() == "active":
        return
    states = RUNTIME / "runc/k8s.io"
    if states.exists():
        ending.do("removed the states of containers", lambda: shutil.rmtree(states, True))
    for place in [*(RUNTIME / "s").glob("*"), Path("/run/nri/nri.sock")]:
        if is_dead(place):
            ending.do(f"removed {place}", lambda place=place: place.unlink(missing_ok=True))
    for folder in (RUNTIME / "runc", RUNTIME / "s", RUNTIME, Path("/run/nri")):
        if folder.is_dir() and not any(folder.iterdir()):
            ending.do(f"removed {folder}", folder.rmdir)


def is_dead(place: Path) -> bool:
    """Tell whether nobody listens at a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(place))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def run(*argv: str, check: bool = True) -> str:
    """Return what a program prints; raises CalledProcessError where it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=check)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
