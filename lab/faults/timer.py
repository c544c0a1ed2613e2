"""The timer on the node that heals a fault whose harness died; text only."""

from lab.faults.traces import Trace

TIMER = "blackstart-heal"
"""The transient systemd unit, `.timer` and `.service`, that heals a node left alone."""
SCRIPT = "/run/blackstart/heal.sh"
"""What that unit runs."""

TRACE = Trace(
    find=f"""\
systemctl --quiet is-active {TIMER}.timer 2>/dev/null && echo timer
""",
    remove=f"""\
if systemctl --quiet is-active {TIMER}.timer 2>/dev/null; then systemctl stop {TIMER}.timer; fi
rm -f {SCRIPT}
""",
)


def arm(limit_s: float) -> str:
    """Return the script that reads a script on standard input and runs it `limit_s` s later."""
    return f"""\
set -e
mkdir -p {SCRIPT.rpartition("/")[0]}
cat >{SCRIPT}
systemctl reset-failed {TIMER}.service 2>/dev/null || :
systemd-run --quiet --collect --unit={TIMER} --on-active={limit_s:g}s \\
    --timer-property=AccuracySec=100ms /bin/sh {SCRIPT}
"""
