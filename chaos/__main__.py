"""Chaos for the kit: `make chaos ARGS="--seed 7 --actions 12"`.

A seed decides what is done to one lab: nodes killed, paused, wiped and removed, faults whose
harness dies, the kit killed at work. After each action `lab up` or `lab down` brings a known
state, or refuses in one sentence that names the cure, within its limit:
`lab up` 600 s, `lab down` 120 s, other commands 120 s, and 30 s to end after a signal.

After `lab up`, `lab status` is healthy and frames flow (at the latest 60 s later), the members
of etcd are the servers, and all servers serve the cluster that was there before. After `lab
down` there is no container, volume, network, file, rule, process or temporary file of the lab.
"""

import argparse
import itertools
import signal
import sys
import tempfile
import time
from pathlib import Path

from chaos import observed
from chaos.actions import CATALOGUE, RESTART_ENGINE
from chaos.commands import Kit
from chaos.machines import Machines
from chaos.sequence import Hosts, sequence
from chaos.session import Session
from chaos.trace import Trace
from lab.artefacts import Cache
from lab.commands.life.preparing import prepare
from lab.commands.options import read_lab
from lab.config import inventory as inventories
from lab.console.errors import LabError
from lab.console.progress import Terminal
from lab.nodes.state import StateDirectory
from lab.providers import registry

INVENTORY = Path(__file__).parent / "inventory"
EVIDENCE_LINES = 40
"""Last lines of the last command that a failure shows."""


def run(options: argparse.Namespace, directory: Path) -> int:
    """Act until the time or the number of actions is over; return the exit code."""
    hosts = _hosts(options.inventory)
    _prepare(options)
    # The kit takes a TMPDIR only where other users, such as apt's, may go.
    directory.chmod(0o755)
    temporary = directory / "tmp"
    temporary.mkdir()
    settings = [word for setting in options.settings for word in ("--set", setting)]
    kit = Kit(
        options.name,
        up=["--inventory", str(options.inventory), *settings],
        logs=directory,
        temporary=temporary,
    )
    machines = Machines(options.name)
    trace = Trace(directory / "trace.jsonl", sys.stdout)
    session = Session(kit, machines, hosts=hosts, trace=trace, temporary=temporary)
    if left := observed.remains(options.name, temporary).things:
        raise LabError(
            f"There is something of a lab {options.name!r} already: {', '.join(left)}.",
            f"Remove it with `lab down --name {options.name}`, or choose another --name.",
        )
    catalogue = (*CATALOGUE, RESTART_ENGINE) if options.restart_engine else CATALOGUE
    actions = {action.name: action for action in catalogue}
    trace.header(
        seed=options.seed, lab=options.name, hosts=",".join(hosts.all), kept_in=str(directory)
    )
    started = time.monotonic()
    number = 0
    try:
        for planned in itertools.islice(sequence(options.seed, hosts, catalogue), options.actions):
            if options.actions is None and time.monotonic() - started > options.minutes * 60:
                break
            number = planned.number
            session.perform(planned, actions[planned.kind])
            if session.problems:
                break
        if not session.problems:
            session.bring_down()
        if session.problems:
            _explain(session, options, number, directory)
    finally:
        if not (options.keep and session.problems):
            _remove(session, machines)
    took = time.monotonic() - started
    verdict = f"{len(session.problems)} problems" if session.problems else "all as it must be"
    print(f"{number} actions in {took / 60:.1f} minutes, seed {options.seed}: {verdict}")
    return 1 if session.problems else 0


def _prepare(options: argparse.Namespace) -> None:
    """Do what a new machine's first `lab up` does for minutes, before limits count."""
    inventory = read_lab(options.inventory, options.name, options.settings)
    cache = Cache()
    prepare(inventory, registry.of(inventory.settings, cache), cache, Terminal())


def _hosts(directory: Path) -> Hosts:
    found = inventories.load(directory).hosts
    return Hosts(
        servers=tuple(name for name, role in found.items() if role == "server"),
        workers=tuple(name for name, role in found.items() if role == "worker"),
    )


def _explain(session: Session, options: argparse.Namespace, number: int, directory: Path) -> None:
    """Print the evidence of a failure, and how to repeat it."""
    if session.last:
        print(f"\nThe last lines of {session.last}:")
        print("\n".join(session.last.output.splitlines()[-EVIDENCE_LINES:]))
    status = session.kit.run("status")
    print(f"\n{status}:\n{status.output}")
    print("\n".join(observed.containers(options.name)))
    print((directory / "trace.jsonl").read_text())
    again = f"--seed {options.seed} --actions {number}"
    print(f'Repeat it with: make chaos ARGS="{again}". All that was printed is in {directory}')


def _remove(session: Session, machines: Machines) -> None:
    """Remove the lab, and what the kit leaves of it."""
    done = session.kit.run("down")
    for process in observed.orphans():
        process.kill()
    if done.code != 0:
        session.wrong(f"{done}: {done.output}")
        machines.force_removal()
        StateDirectory(session.kit.name).remove()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="start no action later (60)")
    parser.add_argument("--actions", type=int, help="do this many, however long they take")
    parser.add_argument("--seed", type=int, help="of the actions (that of the clock)")
    parser.add_argument("--name", default="chaos", help="of the lab (chaos)")
    parser.add_argument("--inventory", type=Path, default=INVENTORY, help="three servers if none")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--restart-engine", action="store_true", help="end the Docker engine too")
    parser.add_argument("--keep", action="store_true", help="leave a lab that failed")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = time.time_ns() % 2**32
    observed.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    for number in (signal.SIGHUP, signal.SIGINT):
        # Commands would inherit that a signal is ignored, as under nohup; a function they do not.
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)
    directory = Path(tempfile.mkdtemp(prefix=f"chaos-{options.seed}-", dir="/tmp"))
    try:
        sys.exit(run(options, directory))
    except LabError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
