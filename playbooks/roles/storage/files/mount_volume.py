"""Mount GlusterFS' volume, and end what writes to it when the mount, or the majority, is lost.

Runs on a node, as the service blackstart-storage, with Python's standard library only:

    mount_volume.py DIRECTORY CLIENT ARGUMENT...

runs GlusterFS' client, which mounts the volume at DIRECTORY, and hands its messages on. A client
without a majority of the replicas has lost its locks: the replicas have given them up, so that
another node's database may have them by now. When the replicas are back, it would open its files
again without the locks (GlusterFS 10's option client.strict-locks prevents that, and leaves
out the replica that was away, too), and two databases would write one volume. So the client is
killed at once, which makes every file that is open through it of no use for ever.

However the client ends, processes of containers that have such a file open are killed: a database
would try for ever, and answer. The service mounts the volume once more, and they start again.

While the volume is not mounted, a file system that is empty and read-only is: a container engine
makes a directory that it misses, and a database would start from nothing in it, on the node's own
disk.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TYPE = "fuse.glusterfs"
"""The type of the mounted volume's file system."""
CLOSED = ("mount", "-t", "tmpfs", "-o", "ro,size=4k,mode=0555", "blackstart-closed")
LOST = "Client-quorum is not met"
"""What the client says once, at the moment that it loses the majority (message 108001)."""
PROC = Path("/proc")


def main(directory: str, *command: str) -> int:
    """Run the client until it ends or is ended; return its exit code."""
    # The service's end is sent to the client too, whose own end is waited for.
    signal.signal(signal.SIGTERM, lambda *_: None)
    unmount(directory)
    close(directory)
    device = ""
    with subprocess.Popen(
        [*command, "--log-file=/dev/stderr"], stderr=subprocess.PIPE, text=True, errors="replace"
    ) as client:
        for line in client.stderr or ():
            sys.stderr.write(line)
            # Once it has ended, nothing is mounted there any more.
            device = device_of(directory) or device
            if LOST in line:
                client.kill()
                print("The majority of the replicas is away: the client is ended.", flush=True)
                break
    end_writers(device)
    unmount(directory)
    return client.returncode


def unmount(directory: str) -> None:
    """Take away what a client that was killed has left at the mount point."""
    if device_of(directory):
        subprocess.run(["umount", "--lazy", directory], check=False)


def close(directory: str) -> None:
    """Have nothing made at the mount point while the volume is not there."""
    if all(mount.point != directory for mount in mounts(PROC / "self")):
        subprocess.run([*CLOSED, directory], check=False)


def end_writers(device: str) -> None:
    """Kill each process of a container that has a file on `device` open."""
    for process in writers(device):
        # What has ended by itself needs no help.
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
            print(f"Process {process} had a file of it open, and was killed.", flush=True)


def device_of(directory: str) -> str:
    """Return the device number of the volume mounted at `directory`, as major:minor; else ""."""
    here = [mount for mount in mounts(PROC / "self") if mount.point == directory]
    return here[-1].device if here and here[-1].type == TYPE else ""


def writers(device: str) -> Iterator[int]:
    """Yield the processes of other mount namespaces that have a file on `device` open."""
    if not device:
        return
    own = (PROC / "self/ns/mnt").readlink()
    for process in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            if (process / "ns/mnt").readlink() == own:
                continue
            there = {mount.number for mount in mounts(process) if mount.device == device}
            if there and there & set(opened(process)):
                yield int(process.name)


class Mount(NamedTuple):
    """A line of /proc/PID/mountinfo (proc(5))."""

    number: str
    device: str
    """As major:minor."""
    point: str
    type: str


def mounts(process: Path) -> Iterator[Mount]:
    """Yield each mount that `process` sees, a later one above an earlier one."""
    for line in (process / "mountinfo").read_text(errors="replace").splitlines():
        about, _, file_system = line.partition(" - ")
        number, _, device, _, point, *_ = about.split()
        yield Mount(number, device, point, file_system.split()[0])


def opened(process: Path) -> Iterator[str]:
    """Yield the number of the mount of each file that `process` has open (proc(5))."""
    for entry in (process / "fdinfo").iterdir():
        with contextlib.suppress(OSError):  # It is closed meanwhile.
            for line in entry.read_text().splitlines():
                name, _, value = line.partition(":")
                if name == "mnt_id":
                    yield value.strip()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
