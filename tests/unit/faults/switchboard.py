"""A small network of namespaces: nodes that lie on one switch, without a lab.

Each node is a network namespace with a veth to a bridge, an address of both families,
listeners, and a /run of its own. `systemd-run` and `systemctl` are replaced by a shell
script that keeps one timer as a background process: there is no systemd in a namespace.
"""

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.host.command import Result, run
from lab.nodes.node import Node, Ssh

LISTEN = """
import selectors, socket, sys
ready = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    ready.register(socket.create_server(("::", port), family=socket.AF_INET6,
        dualstack_ipv6=True), selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in ready.select():
        key.fileobj.accept()[0].close()
"""

SYSTEMD = """\
#!/bin/sh
# Stands in for systemd-run and systemctl: one timer, one file with its process number.
state=$(dirname "$0")/timer
case "${0##*/} $*" in
systemd-run*)
    test -e "$state" && { echo "Unit already loaded" >&2; exit 1; }
    for word; do case "$word" in --on-active=*s) delay=${word#*=}; delay=${delay%s};; esac; done
    for word; do script=$word; done
    (sleep "$delay"; sh "$script"; rm -f "$state") \\
        >/dev/null 2>&1 </dev/null & echo $! >"$state" ;;
*is-active*) test -e "$state" ;;
*stop*) kill "$(cat "$state")" 2>/dev/null; rm -f "$state" ;;
*reset-failed*) : ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class NamespaceNode(Node):
    """A node whose commands run in a network namespace of this machine."""

    namespace: str
    """The namespace's name."""
    programs: Path
    """Directory with the stand-in for systemd."""
    control: str = ""
    """Address that SSH is pretended to come from."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        timeout_s: float = 60,
        check: bool = True,
    ) -> Result:
        """Run `argv` in the namespace."""
        return run(self._inside(argv), stdin=stdin, timeout_s=timeout_s, check=check)

    def start(self, argv: Sequence[str]) -> "subprocess.Popen[str]":
        """Start `argv` in the namespace, as over a connection that ends with this process."""
        return subprocess.Popen(
            self._inside(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def _inside(self, argv: Sequence[str]) -> list[str]:
        connection = f"{self.control} 50000 {self.address} 22" if self.control else ""
        environment = [
            f"PATH={self.programs}:{os.environ['PATH']}",
            f"SSH_CONNECTION={connection}",
        ]
        own_run = ["sh", "-c", 'mount --bind "$0" /run && exec "$@"', str(self.programs / "run")]
        return ["ip", "netns", "exec", self.namespace, "env", *environment, *own_run, *argv]


@contextlib.contextmanager
def switchboard(directory: Path, hosts: dict[str, list[int]]) -> Iterator[dict[str, NamespaceNode]]:
    """Yield a node for each of `hosts`, name to ports on which it listens.

    The node `control` is the one that SSH is pretended to come from.
    """
    prefix = f"bsu{os.getpid() % 100000}"
    names = [f"{prefix}-switch", *(f"{prefix}-{host}" for host in hosts)]
    addresses = {host: f"10.98.7.{number}" for number, host in enumerate(hosts, 11)}
    listeners: list[subprocess.Popen[str]] = []
    nodes = {}
    try:
        for name in names:
            run(["ip", "netns", "add", name])
        _inside(names[0], "ip link add br0 type bridge && ip link set br0 up")
        for host, address in addresses.items():
            _plug(names[0], f"{prefix}-{host}", address)
        for host, ports in hosts.items():
            programs = directory / host
            (programs / "run").mkdir(parents=True)
            for program in ("systemd-run", "systemctl"):
                (programs / program).write_text(SYSTEMD)
                (programs / program).chmod(0o755)
            nodes[host] = NamespaceNode(
                name=host,
                cluster="switchboard",
                role="server" if host.startswith("server") else "worker",
                address=addresses[host],
                ssh=Ssh(key=Path("none"), known_hosts=Path("none")),
                namespace=f"{prefix}-{host}",
                programs=programs,
                control=addresses.get("control", ""),
            )
            argv = ["ip", "netns", "exec", f"{prefix}-{host}", sys.executable, "-c", LISTEN]
            listener = subprocess.Popen(
                [*argv, *map(str, ports)], stdout=subprocess.PIPE, text=True
            )
            listeners.append(listener)
            assert listener.stdout is not None
            listener.stdout.readline()
        yield nodes
    finally:
        for listener in listeners:
            listener.kill()
            listener.communicate()
        for name in names:
            run(["ip", "netns", "del", name], check=False)


def _plug(switch: str, name: str, address: str) -> None:
    last = address.rpartition(".")[2]
    port = f"p{last}"
    run(["ip", "link", "add", port, "netns", switch, "type", "veth", "peer", "eth0", "netns", name])
    _inside(switch, f"ip link set {port} master br0 && ip link set {port} up")
    _inside(
        name,
        f"""
        ip link set lo up
        ip link set eth0 up
        ip address add {address}/24 dev eth0
        ip address add fd98::{last}/64 dev eth0 nodad
        """,
    )


def _inside(name: str, script: str) -> None:
    run(["ip", "netns", "exec", name, "sh", "-e", "-c", textwrap.dedent(script)])
