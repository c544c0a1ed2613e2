"""What a machine and a lab are asked: one file of the bundle for each question."""

import base64
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from lab.cluster import health
from lab.cluster.admin import KUBECTL
from lab.cluster.lab import Lab
from lab.host.command import Result, run
from lab.nodes.mark import LabMark
from lab.nodes.node import Node
from service import __version__

HERE = {
    "system": "uname -a; cat /etc/os-release; nproc; uptime; free -m; df -h; cat /proc/cmdline",
    "limits": "ulimit -a; cat /proc/sys/fs/inotify/* /proc/sys/kernel/pid_max",
    "network": "ip -brief address; ip rule; ip route show table all; ss -tln",
    "kernel": "cat /proc/modules /proc/self/mountinfo; ls /sys/fs/cgroup",
    "engine": "docker version; docker info; docker ps -a; docker network ls; docker volume ls",
}
"""File name to what the shell of this machine is told, as this user."""
ON_NODE = {
    "system": "uname -a; cat /etc/os-release; uptime; free -m; df -h; systemctl --failed",
    "journal": "journalctl --boot --no-pager --output short-iso --lines 4000",
    "journal-of-the-boot-before": "journalctl --boot -1 --no-pager --output short-iso --lines 800",
    "network": "ip -brief address; ip route; ss -tlnp; iptables-save; ip6tables-save; "
    "nft list ruleset",
    "faults": "systemctl list-timers --all; tc qdisc show",
    "processes": "ps -eo pid,ppid,user,stat,etime,pcpu,rss,args --sort=-pcpu",
    "containers": "for tool in 'ctr -n k8s.io' 'k3s ctr'; do $tool containers list && "
    "$tool tasks list && $tool images list; done",
    "configuration": "grep -rI '' /etc/blackstart /etc/haproxy /etc/cni/net.d /etc/containerd "
    "/etc/rancher/k3s/config.yaml /etc/kubernetes/manifests /var/lib/kubelet/config.yaml",
    "pod-logs": 'find /var/log/pods -name "*.log" | sort | xargs -r tail -n 150',
}
"""File name to what a node's shell is told, as root."""
IN_CLUSTER = {
    "overview": "kubectl version; kubectl get -A -o wide nodes,pods,deployments,daemonsets,"
    "statefulsets,services,endpointslices,pvc,pv,configmaps",
    "nodes": "kubectl describe nodes",
    "pods": "kubectl describe pods -A",
    "events": "kubectl get events -A --sort-by=.lastTimestamp",
    "leases": "kubectl get leases -A -o yaml",
    "health": "for check in readyz livez; do kubectl get --raw /$check?verbose; done",
}
"""File name to what the shell of a server is told, where kubectl is the administrator's."""
TOKENS = (
    "cat /var/lib/rancher/k3s/server/token /var/lib/rancher/k3s/server/node-token "
    "/etc/rancher/k3s/token /etc/rancher/node/password"
)
"""What k3s lets nodes in by; kubeadm's tokens are Secrets."""
PUBLIC = ("ca.crt", "tls.crt", "namespace", "user", "username")
"""Keys of Secrets whose values are none."""
LIMIT_S = 60.0
"""For one answer."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One file of the bundle."""

    file: str
    """Its path in the bundle."""
    ask: Callable[[], str]
    """Returns its content; what it raises is written in its place."""


def of_machine(preflight: Callable[[], str]) -> Iterator[Question]:
    """Yield what this machine is asked; `preflight` tells what `lab up` finds lacking."""
    yield Question(file="machine/kit.txt", ask=_kit)
    yield Question(file="machine/preflight.txt", ask=preflight)
    for name, script in HERE.items():
        yield Question(file=f"machine/{name}.txt", ask=partial(_said_here, script))


def of_lab(lab: Lab) -> Iterator[Question]:
    """Yield what a lab and each of its nodes that run are asked."""
    yield Question(file="lab/status.json", ask=partial(_status, lab))
    yield Question(file="lab/mark.json", ask=partial(_mark, lab))
    yield Question(file="lab/boot.txt", ask=lab.provider.journal)
    yield Question(file="lab/files-here.txt", ask=partial(_listing, lab.state.directory))
    for node in lab.running_nodes:
        for name, script in ON_NODE.items():
            yield Question(
                file=f"nodes/{node.name}/{name}.txt", ask=partial(_said_on, node, script)
            )


def of_cluster(server: Node) -> Iterator[Question]:
    """Yield what the cluster is asked through `server`, whose API is ready."""
    for name, script in IN_CLUSTER.items():
        yield Question(
            file=f"cluster/{name}.txt", ask=partial(_said_on, server, _with_kubectl(script))
        )


def secrets(servers: Sequence[Node], ready: Node | None) -> list[str]:
    """Return the values that nobody else may read: the cluster's tokens, passwords and keys.

    What can't be asked is left out: its form may still tell it.
    """
    found: list[str] = []
    for server in servers:
        said = server.run(["sh", "-c", TOKENS], timeout_s=LIMIT_S, check=False).stdout
        # k3s writes who may use a token in front of it.
        found += [part for word in said.split() for part in (word, word.rpartition(":")[2])]
    if ready is not None:
        script = _with_kubectl("kubectl get secrets -A -o json")
        answer = ready.run(["sh", "-c", script], timeout_s=LIMIT_S, check=False)
        found += _values(answer.stdout)
    return found


def _values(listed: str) -> Iterator[str]:
    """Yield the values of a list of Secrets, as Kubernetes prints it."""
    try:
        items = json.loads(listed)["items"]
    except (ValueError, KeyError, TypeError):
        return
    for item in items or ():
        for key, value in (item.get("data") or {}).items():
            if key not in PUBLIC:
                yield base64.b64decode(value).decode(errors="replace")


def _with_kubectl(script: str) -> str:
    _env, setting, _kubectl = KUBECTL
    return f"export {setting}; {script}"


def _kit() -> str:
    variables = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(("LAB_", "BLACKSTART_", "DOCKER_"))
    }
    return "\n".join(
        [
            f"blackstart {__version__}, Python {sys.version}, user {os.getuid()}",
            platform.platform(),
            f"variables: {json.dumps(variables)}",
            *sorted(f"{found.name} {found.version}" for found in metadata.distributions()),
        ]
    )


def _status(lab: Lab) -> str:
    return json.dumps(health.examine(lab).document, indent=2)


def _mark(lab: Lab) -> str:
    found = LabMark.read_any(lab.running_nodes)
    return json.dumps(asdict(found), indent=2) if found else "no node that runs has one"


def _listing(directory: Path) -> str:
    return _said_here(f'ls -lR "{directory}"')


def _said_here(script: str) -> str:
    return _output(run(["sh", "-c", script], timeout_s=LIMIT_S, check=False))


def _said_on(node: Node, script: str) -> str:
    return _output(node.run(["sh", "-c", script], timeout_s=LIMIT_S, check=False))


def _output(done: Result) -> str:
    """Return both streams: that a program is not there is an answer too."""
    return f"{done.stdout}{done.stderr}"
