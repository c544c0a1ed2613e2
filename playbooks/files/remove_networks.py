"""Remove the networks of pods from this node: links, packet-filter chains, sets, records.

Runs on the node itself, with Python's standard library only, when no pod runs any more:

    remove_networks.py do|look

What goes is known by the names that Kubernetes, flannel and CNI give; all other rules of the
machine stay, and are not written again either.
Answers in JSON what it did, {"did": []} where nothing was to do; `look` says what it would do.
Ends with 1, and says what can't be removed, where that is so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BRIDGE = "cni0"
LINKS = (BRIDGE, "flannel.1", "kube-ipvs0")
OURS = re.compile(r"(inet6:)?(KUBE|CNI|FLANNEL)-")
"""Begins the names of chains and sets."""
COMMENT = re.compile(r'--comment ("[^"]*)?(KUBE-|CNI-|flannel)')
"""Says whose a rule is that stands in another's chain."""
TARGET = re.compile(r" -[jg] (\S+)")
RECORDS = ("flannel", "networks/cbr0", "results/cbr0-*", "results/cni-loopback-*")
"""The plugins' records, below /var/lib/cni; cbr0 is the network's name."""
FILTERS = (
    ("iptables-nft", ""),
    ("iptables-legacy", "/proc/net/ip_tables_names"),
    ("ip6tables-nft", ""),
    ("ip6tables-legacy", "/proc/net/ip6_tables_names"),
)
"""Packet filters, each with the file that says whether anybody has used it: to ask the older
kind loads it into the kernel."""


class Step(NamedTuple):
    """One thing to remove."""

    what: str
    argv: tuple[str, ...]
    stdin: str = ""
    may_be_gone: bool = False


def main() -> int:
    """Return the exit code."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    changes = sys.argv[1] == "do"
    did = []
    try:
        for steps in (links, rules, sets, records):
            for step in list(steps()):
                if changes:
                    run(*step.argv, stdin=step.stdin, check=not step.may_be_gone)
                did.append(step.what)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        print(f"The networks of pods can't be removed: {' '.join(str(said).split())}")
        return 1
    print(json.dumps({"did": did}))
    return 0


def links() -> Iterator[Step]:
    """Yield the links of pods, of which some go by themselves, then those between nodes."""
    found = json.loads(run("ip", "-json", "link", "show"))
    ports = [link["ifname"] for link in found if link.get("master") == BRIDGE]
    for name in [*ports, *(link["ifname"] for link in found if link["ifname"] in LINKS)]:
        yield Step(f"removed the link {name}", ("ip", "link", "delete", name), may_be_gone=True)


def rules() -> Iterator[Step]:
    """Yield the chains of each packet filter, table by table, with what leads to them."""
    for program, used in FILTERS:
        if not shutil.which(f"{program}-save") or (used and not is_used(Path(used))):
            continue
        for table, lines in undoing(run(f"{program}-save")):
            yield Step(
                f"removed the chains of Kubernetes from {program}, table {table}",
                (f"{program}-restore", "--noflush"),
                stdin="\n".join((f"*{table}", *lines, "COMMIT", "")),
            )


def is_used(names: Path) -> bool:
    """Tell whether a packet filter of the older kind has a table."""
    return names.exists() and bool(names.read_text())


def undoing(saved: str) -> Iterator[tuple[str, list[str]]]:
    """Yield, for each table of a saved packet filter, the lines that remove what is ours."""
    for text in re.split(r"^\*", saved, flags=re.MULTILINE)[1:]:
        table, *lines = text.splitlines()
        chains = [line[1:].split()[0] for line in lines if line.startswith(":")]
        ours = [chain for chain in chains if OURS.match(chain)]
        rules = [line for line in lines if line.startswith("-A ") and line.split()[1] not in ours]
        gone = [rule for rule in rules if leads_to(rule, ours) or COMMENT.search(rule)]
        if ours or gone:
            deletions = [f"-D {rule.removeprefix('-A ')}" for rule in gone]
            yield table, [*deletions, *(f"-F {c}" for c in ours), *(f"-X {c}" for c in ours)]


def leads_to(rule: str, chains: list[str]) -> bool:
    """Tell whether a rule jumps into one of these chains."""
    target = TARGET.search(rule)
    return target is not None and target[1] in chains


def sets() -> Iterator[Step]:
    """Yield the sets of addresses that the chains have named."""
    if shutil.which("ipset"):
        for name in run("ipset", "list", "-name").splitlines():
            if OURS.match(name):
                yield Step(f"removed the set {name}", ("ipset", "destroy", name))


def records() -> Iterator[Step]:
    """Yield what the plugins have written down of pods that were not taken out in order."""
    found = [path for pattern in RECORDS for path in Path("/var/lib/cni").glob(pattern)]
    if found:
        yield Step("removed the records of the plugins", ("rm", "-rf", *map(str, found)))


def run(*argv: str, stdin: str = "", check: bool = True) -> str:
    """Return what a program prints; raises CalledProcessError where it fails."""
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=60, check=check
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
