"""The engine's packet-filter rules, which a firewall's reload drops: found, and mended.

The engine writes its chains when it starts, and never looks for them again. Without
them it makes no network, and a machine that forwards nothing cuts the nodes apart.
"""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import psutil
from docker.errors import APIError
from docker.models.containers import Container

from lab.console.errors import LabError
from lab.console.progress import Progress
from lab.host.command import CommandError, run
from lab.host.privileges import as_root
from lab.providers.container import engine

GONE = "no chain/target/match by that name"
"""What the engine says where its chains are gone, in lower case."""
RESTART_LIMIT_S = 60
PID_FILE = Path("/var/run/docker.pid")
"""Where an engine that no systemd started writes its process number."""
_LOOK = """\
import select, socket, sys
peers = []
for address in sys.argv[1:]:
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.connect((address, 9))
    try:
        peer.send(b"")
    except OSError:
        sys.exit("the node's own rules")
    peers.append(peer)
print("reached" if select.select(peers, [], [], 1.5)[0] else "cut")
"""
"""Says whether any of the addresses answers that nothing listens there.

What the node's own rules drop, as a fault's, the kernel refuses to send.
"""


def restart_command() -> str:
    """Return the command that restarts the engine, for a person to type."""
    if Path("/run/systemd/system").exists():
        return "systemctl restart docker"
    return f"kill $(cat {PID_FILE})"


def is_gone(error: APIError) -> bool:
    """Tell whether the engine refused something because its chains are gone."""
    return GONE in str(error.explanation or error).lower()


def condition(containers: Sequence[Container], addresses: Sequence[str]) -> str:
    """Return what a reload has done to the rules, and its cure; empty where nothing is seen.

    `containers` are a lab's that run, and `addresses` theirs. Changes nothing.
    """
    if is_cut(containers, addresses):
        found = "no node of the lab reaches another"
    elif (rules := _rules()) and not any("DOCKER" in line for line in rules):
        found = "its chains are gone from iptables"
    else:
        return ""
    return (
        f"{found}, as after a firewall's reload. Restart the engine ({restart_command()}), then "
        "run `lab up`."
    )


def refuse_cut(containers: Sequence[Container], addresses: Sequence[str]) -> None:
    """Raise LabError where all of these nodes run, and rules of this machine cut them apart.

    `addresses` are theirs. A node that a fault cuts off says nothing of the machine.
    """
    if is_cut(containers, addresses):
        raise LabError(
            "The nodes run, but none reaches another: this machine's packet filter drops what "
            "passes the lab's bridge, as after a firewall's reload, which drops the engine's "
            "rules.",
            f"Restart the engine, which writes them again ({restart_command()}), then run "
            "`lab up`. Where that does not help, a rule of the firewall's own does it.",
            evidence="\n".join(line for line in _rules() if "FORWARD" in line),
        )


def is_cut(containers: Sequence[Container], addresses: Sequence[str]) -> bool:
    """Tell whether these nodes run, and none reaches another though all of them send."""
    if len(addresses) < 2:
        return False
    for container, own in zip(containers, addresses, strict=True):
        others = [address for address in addresses if address != own]
        answer: Any = None
        # A node that ends in this moment is the boot's to judge.
        with suppress(APIError):
            answer = container.exec_run(["python3", "-c", _LOOK, *others]).output
        if answer != b"cut\n":
            return False
    return True


def mend(client: docker.DockerClient, refused: APIError, progress: Progress) -> None:
    """Restart the engine, which writes its chains again, after it `refused` a network.

    Raises LabError where containers run, which would end, or where it is not the
    machine's own engine.
    """
    said = "A firewall has dropped the Docker engine's packet-filter rules, without which it "
    said += "makes no network; a restart of the engine writes them again"
    again = f"Restart it yourself ({restart_command()}), then run `lab up`."
    if running := sorted(str(c.name) for c in client.containers.list(ignore_removed=True)):
        raise LabError(f"{said}, but may end containers that run: {', '.join(running)}.", again)
    if named := os.environ.get("DOCKER_HOST"):
        raise LabError(
            f"{said}; this is the engine of DOCKER_HOST={named}.", "Restart it yourself."
        )
    title = "Restart the Docker engine, whose rules a firewall has dropped"
    with progress.step(title, limit_s=RESTART_LIMIT_S):
        try:
            if Path("/run/systemd/system").exists():
                run([*as_root(), "systemctl", "restart", "docker"], timeout_s=RESTART_LIMIT_S)
            else:
                _stop()
        except (CommandError, OSError, ValueError) as error:
            raise LabError(f"{said}; it failed.", again, evidence=str(error)) from None
    engine.ensure(progress)
    # The engine forgets the bridge that it had made before it failed.
    for bridge in set(re.findall(r"\bbr-[0-9a-f]{12}\b", str(refused.explanation))):
        run([*as_root(), "ip", "link", "delete", bridge], check=False)


def _rules() -> list[str]:
    """Return the rules of the table filter, which root alone may read; empty for others."""
    if os.geteuid() != 0:
        return []
    return run(["iptables", "-w", "-S"], check=False).stdout.splitlines()


def _stop() -> None:
    """End the engine that its file names, and wait for its end."""
    pid = int(PID_FILE.read_text())
    run([*as_root(), "kill", str(pid)])
    started = time.monotonic()
    while psutil.pid_exists(pid) and time.monotonic() - started < RESTART_LIMIT_S:
        time.sleep(0.2)
