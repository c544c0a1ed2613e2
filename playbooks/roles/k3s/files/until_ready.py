"""Start or restart k3s on this node, and wait until the node has its place in the cluster.

Runs on the node itself, with Python's standard library only:

    until_ready.py start|restart|look UNIT NODE LIMIT_S [PEER...]

`restart` waits first, for at most PEERS_LIMIT_S, until the API servers at the addresses
PEER are ready, and leaves the service alone if they are not: it would cost the majority.
`start` waits only until others can join through this node. The place is taken when the
service runs, every offered image archive is imported, the node is Ready and, on a server,
its API server is ready. That its etcd member may vote needs no look of its own: before
that, a k3s server does not tell systemd that it runs.
Prints how long that took. After LIMIT_S seconds, or MAX_RESTARTS that systemd made, or when
the cluster has refused the node REFUSED_OFTEN times for a reason that waiting does not mend,
it prints what is lacking and the evidence for it, and exits with 1.
"""

import json
import re
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

DATA = Path("/var/lib/rancher/k3s")
JOINED = Path("/etc/blackstart/k3s.joined")
"""Tells a node of the cluster from one that has only tried to become one. It lies beside the
data, so that a node whose data are gone is known for what it is."""
AGENT = DATA / "agent"
OWN_API = "https://127.0.0.1:6444"
"""A server's own API server."""
KUBECONFIG = AGENT / "kubelet.kubeconfig"
"""Says where a worker's kubelet finds any of them."""
PERIOD_S = 1.0
PEERS_LIMIT_S = 60.0
MAX_RESTARTS = 15
"""A server may be refused some times while another one joins, but not this often."""
OFFER_AGAIN_S = 10.0
"""k3s does not try again by itself to import an archive that it failed on, as it does
when two tags of one image race; an archive that it is still at is not taken twice."""
REFUSALS = {
    "duplicate node name found": "the cluster has an etcd member of this node's name already",
    "Node password rejected": "the cluster knows a node of this name with another password",
    "token CA hash does not match": "the token is of a cluster with another CA",
    "encrypted with different token": "the cluster was made with another token",
    "critical configuration value mismatch": "its settings contradict those of the other servers",
    "certificate signed by unknown authority": "the cluster's certificate is of another CA",
    "has been permanently removed from the cluster": "the cluster has removed its etcd member",
    "not authorized": "the cluster does not take its token",
    "401 Unauthorized": "the cluster does not take its token or certificate",
    "no space left on device": "the disk is full",
}
"""What k3s writes into its journal, again and again, and what it means."""
OWN_ERROR = re.compile(r"time=.* (level=(fatal|error) |.*Waiting to retrieve agent config)")
"""Such a line is k3s' own: what it runs inside complains of more while it starts."""
REFUSED_OFTEN = 5
"""Once or twice, a server may be refused for another's state of that moment."""
LOOK_S = 5.0
"""Between two looks at the journal."""
EVIDENCE = {
    "service": "systemctl status --no-pager --lines=0 {unit}",
    "errors": "journalctl --unit={unit} --lines=6 --no-pager --output=cat"
    " --grep=level=(fatal|error)|^panic",
    "journal": "journalctl --unit={unit} --lines=8 --no-pager --output=cat --grep=^time=",
    "containerd": f"tail -n 3 {AGENT}/containerd/containerd.log",
    "ports": "ss --listening --tcp --numeric --no-header",
    "addresses": "ip -brief address",
}
EVIDENCE_WIDTH = 300


def main() -> int:
    """Return the exit code."""
    verb, unit, node, limit, *peers = sys.argv[1:]
    limit_s = float(limit)
    begin = time.monotonic()
    while away := not_serving(peers):
        if time.monotonic() - begin > PEERS_LIMIT_S:
            print(f"{node} is not restarted, as other servers are not ready:", *away, sep="\n")
            return 1
        time.sleep(PERIOD_S)
    if verb != "look":
        subprocess.run(["systemctl", verb, "--no-block", unit], check=True)
        time.sleep(PERIOD_S)  # until a restart is under way, the old process answers
    restarts = restarts_of(unit)
    offered_s = looked_s = begin
    since = time.time() - LOOK_S  # the service may have been started just before
    refused = ""
    while missing := not_running(unit) if verb == "start" else lacking(unit, node):
        elapsed_s = time.monotonic() - begin
        failed = restarts_of(unit) - restarts
        if time.monotonic() - looked_s > LOOK_S:
            refused = refusal(unit, since)
            looked_s = time.monotonic()
        if refused:
            print(f"{node} can't get into the cluster: {refused}\n{evidence(unit)}")
            return 1
        if elapsed_s > limit_s or failed > MAX_RESTARTS:
            print(f"{node} has no place in the cluster after {elapsed_s:.0f} s", end="")
            print(f" and {failed} restarts of {unit}: {missing}\n{evidence(unit)}")
            return 1
        if time.monotonic() - offered_s > OFFER_AGAIN_S:
            offer_again(not_imported())
            offered_s = time.monotonic()
        time.sleep(PERIOD_S)
    if verb != "start":
        JOINED.touch()
    print(f"{node} is ready after {time.monotonic() - begin:.1f} s")
    return 0


def restarts_of(unit: str) -> int:
    """Return how often systemd has restarted the unit by itself."""
    return int(show(unit, "NRestarts")[0])


def show(unit: str, properties: str) -> list[str]:
    """Return the values of the unit's properties, in systemd's own order."""
    return subprocess.run(
        ["systemctl", "show", f"--property={properties}", "--value", unit],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()


def not_running(unit: str) -> str:
    """Say what the service does instead of running; nothing when it has told that it runs."""
    state = show(unit, "ActiveState,SubState")
    return "" if state == ["active", "running"] else f"the service {unit} is {'/'.join(state)}"


def not_serving(peers: list[str]) -> list[str]:
    """Return which of these servers are not ready, each with the reason."""
    away = []
    for peer in peers:
        try:
            ask("/readyz", f"https://{peer}:6443")
        except OSError as error:
            away.append(f"{peer}: {error}")
    return away


def lacking(unit: str, node: str) -> str:
    """Say what the node lacks, cheapest questions first; nothing when it is ready."""
    if instead := not_running(unit):
        return instead
    if waiting := not_imported():
        return f"images are not imported: {', '.join(waiting)}"
    try:
        api = nearest_api(unit)
        conditions = node_conditions(node, api)
        if unit == "k3s":
            ask("/readyz", api)
    except (OSError, ValueError) as error:
        return f"no answer from an API server: {error}"
    ready = conditions.get("Ready", "not set yet")
    return "" if ready.startswith("True") else f"the node's condition Ready is {ready}"


def not_imported() -> list[str]:
    """Return the names of the archives that k3s has not noted as imported."""
    offered = [file for file in (AGENT / "images").iterdir() if file.is_symlink()]
    try:
        imported = json.loads((AGENT / "images" / ".cache.json").read_text() or "{}")
    except ValueError:  # it is being written
        imported = {}
    return sorted(file.name for file in offered if str(file) not in imported)


def refusal(unit: str, since: float) -> str:
    """Return why the cluster refuses this node, in k3s' own words too; nothing if it does not."""
    argv = ["journalctl", f"--unit={unit}", f"--since=@{since:.0f}", "--output=cat", "--no-pager"]
    lines = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    said = [line for line in lines if OWN_ERROR.match(line)]
    for words, meaning in REFUSALS.items():
        refusals = [line for line in said if words in line]
        if len(refusals) >= REFUSED_OFTEN:
            return f"{meaning} ({' '.join(refusals[-1].split())[:EVIDENCE_WIDTH]})"
    return ""


def offer_again(names: list[str]) -> None:
    """Replace the links of these archives, which k3s watches for."""
    for name in names:
        link = AGENT / "images" / name
        fresh = link.with_name(f".{name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(link.readlink())
        fresh.replace(link)


def node_conditions(node: str, api: str) -> dict[str, str]:
    """Return the conditions of the Node object, each with the reason it gives."""
    conditions = json.loads(ask(f"/api/v1/nodes/{node}", api))["status"].get("conditions", [])
    return {
        entry["type"]: f"{entry['status']} ({entry.get('message') or entry.get('reason', '')})"
        for entry in conditions
    }


def nearest_api(unit: str) -> str:
    """Return the API server that the node of this unit asks; raises OSError before it knows."""
    if unit == "k3s":
        return OWN_API
    found = re.search(r"server: (\S+)", KUBECONFIG.read_text())
    if not found:  # it is being written
        raise OSError(f"{KUBECONFIG} names none yet")
    return found[1]


def ask(path: str, api: str) -> bytes:
    """Return what the API server at `api` answers to this node's kubelet."""
    context = ssl.create_default_context(cafile=str(AGENT / "server-ca.crt"))
    context.load_cert_chain(AGENT / "client-kubelet.crt", AGENT / "client-kubelet.key")
    with urllib.request.urlopen(api + path, timeout=5, context=context) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def evidence(unit: str) -> str:
    """Return what the node says of the service, its journal, its ports and addresses."""
    parts = []
    for title, command in EVIDENCE.items():
        argv = command.format(unit=unit).split()
        said = subprocess.run(argv, capture_output=True, text=True, check=False)
        lines = (said.stdout + said.stderr).strip().splitlines()
        parts += [f"== {title}", *(" ".join(line.split())[:EVIDENCE_WIDTH] for line in lines)]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
