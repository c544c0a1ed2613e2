"""The packet-filter chain of the kit; text only.

All rules live in one chain of the kit's own. kube-proxy's, flannel's and the
machine's own rules are neither read nor touched, so that healing is removing this
chain, and flushing nothing else.
"""

from lab.faults.traces import Trace

CHAIN = "BLACKSTART-FAULT"
"""The chain, in the table `filter` of IPv4 and IPv6."""
HOOKS = ("INPUT", "OUTPUT", "FORWARD")
"""The chains that jump to it, first of all."""
TRACE = Trace(
    find=f"""\
for tables in iptables ip6tables; do
    $tables -w -n -L {CHAIN} >/dev/null 2>&1 && echo "$tables"
done
""",
    remove=f"""\
for tables in iptables ip6tables; do
    $tables -w -n -L {CHAIN} >/dev/null 2>&1 || continue
    for hook in {" ".join(HOOKS)}; do
        while $tables -w -D "$hook" -j {CHAIN} 2>/dev/null; do :; done
    done
    $tables -w -F {CHAIN}
    $tables -w -X {CHAIN}
done
""",
)


def isolation(*, interface: str, peer: str) -> str:
    """Return the rules, for iptables-restore, that cut the node off at `interface`.

    Only SSH (tcp/22) from `peer`, the control machine, gets through; the loopback and
    traffic between the node's own pods never touch the interface. An empty `peer`
    excepts nothing. The rules come in force together, when COMMIT is read.
    """
    exceptions = (
        [
            f"-A {CHAIN} -i {interface} -s {peer} -p tcp --dport 22 -j RETURN",
            f"-A {CHAIN} -o {interface} -d {peer} -p tcp --sport 22 -j RETURN",
        ]
        if peer
        else []
    )
    lines = [
        "*filter",
        f":{CHAIN} - [0:0]",
        *exceptions,
        f"-A {CHAIN} -i {interface} -j DROP",
        f"-A {CHAIN} -o {interface} -j DROP",
        *(f"-I {hook} 1 -j {CHAIN}" for hook in HOOKS),
        "COMMIT",
    ]
    return "".join(f"{line}\n" for line in lines)


def apply(*, interface: str, peer: str) -> str:
    """Return the script that isolates the node in both address families.

    `peer` may be of either family; the other family gets no exception. IPv6 comes
    first, so that the moment of the last COMMIT is the fault's.
    """
    is_six = ":" in peer
    six = isolation(interface=interface, peer=peer if is_six else "")
    four = isolation(interface=interface, peer="" if is_six else peer)
    return f"""\
set -e
if ip6tables -w -n -L INPUT >/dev/null 2>&1; then
    ip6tables-restore -w --noflush <<'RULES'
{six}RULES
fi
iptables-restore -w --noflush <<'RULES'
{four}RULES
"""
