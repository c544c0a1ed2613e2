"""What holds after each command and each action; every judge returns what does not, in words."""

import signal
from collections.abc import Sequence

from chaos.commands import Finished
from chaos.observed import Cluster, Remains
from chaos.sequence import Hosts
from lab.cluster.endpoints import FRAME_RATE

ENDINGS = {
    "SIGHUP": (0, 1, 129, 130, -signal.SIGHUP),
    "SIGINT": (0, 1, 130),
    "SIGTERM": (0, 1, 130, 143, -signal.SIGTERM),
    "SIGKILL": (-signal.SIGKILL,),
}
"""How a command may end that was sent a signal: finished, refused, or ended by it."""


def answer(done: Finished) -> list[str]:
    """Judge how a command ended: done, or refused in a sentence, within its limit."""
    found = []
    if done.late:
        found.append(f"{done}: it did not end within its limit")
    elif done.ended_by:
        if done.code not in ENDINGS[done.ended_by]:
            found.append(f"{done}: no way to end")
    elif done.code not in (0, 1):
        found.append(f"{done}: neither done nor refused")
    if "Traceback (most recent call last)" in done.output:
        found.append(f"{done}: a traceback: {done.output.strip().splitlines()[-1]}")
    if done.code == 1 and not done.late and done.words[0] != "status" and not refusal(done):
        found.append(f"{done}: no line says `error: ...`")
    return found


def refusal(done: Finished) -> str:
    """Return the sentence with which a command refused; empty where it has none."""
    lines = done.output.splitlines()
    return next((line for line in lines if line.startswith("error: ")), "")


def after_up(hosts: Hosts, seen: Cluster, uid_before: str) -> list[str]:
    """Judge a lab that `lab up` has left with success.

    `uid_before` is the cluster's UID before; empty where it may be a new one.
    """
    found = []
    if not seen.status.get("healthy"):
        unready = [
            str(thing["name"])
            for thing in (*seen.status.get("nodes", ()), *seen.status.get("pods", ()))
            if not thing["ready"]
        ]
        said = seen.status.get("problem") or f"not ready: {', '.join(unready) or 'nothing'}"
        found.append(f"`lab status` calls the lab not healthy: {said}")
    found += [
        f"{rate['name']} sends {rate['frames_per_s']} frames/s of {FRAME_RATE}: {rate['problem']}"
        for rate in seen.status.get("frames", ())
        if rate["frames_per_s"] < FRAME_RATE - 1
    ]
    found += _one_cluster(seen, uid_before)
    for server, members in seen.members.items():
        if not _are(members, hosts.servers):
            found.append(f"etcd of {server} has the members {', '.join(members)}")
    if seen.nodes != tuple(sorted(hosts.all)):
        found.append(f"the cluster has the nodes {', '.join(seen.nodes)}")
    if seen.containers != tuple(sorted(hosts.all)):
        found.append(f"the lab has the containers of {', '.join(seen.containers)}")
    found += [
        f"a fault is on {node}: {', '.join(left)}" for node, left in seen.faults.items() if left
    ]
    return found


def after_down(left: Remains) -> list[str]:
    """Judge a lab that `lab down` has left with success."""
    return [f"`lab down` left {thing}" for thing in left.things]


def _one_cluster(seen: Cluster, uid_before: str) -> list[str]:
    if len(set(seen.uids.values())) != 1:
        each = ", ".join(f"{server}: {uid}" for server, uid in seen.uids.items())
        return [f"not all servers serve the same cluster: {each}"]
    (uid,) = set(seen.uids.values())
    if uid_before and uid != uid_before:
        return [f"another cluster stands in the place of {uid_before}: {uid}"]
    return []


def _are(members: Sequence[str], servers: Sequence[str]) -> bool:
    """Tell whether voting members are the servers; k3s adds a dash and eight digits to names."""
    names = [member[:-9] if member[:-9] in servers else member for member in members]
    return sorted(names) == sorted(servers)
