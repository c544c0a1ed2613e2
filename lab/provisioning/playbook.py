"""Running a playbook on the lab's nodes through ansible-runner, with progress and a verdict."""

import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.config.files import PLAYBOOKS
from lab.config.inventory import Inventory, without
from lab.console.errors import LabError, shortened
from lab.console.interruption import SIGNALS
from lab.console.progress import Progress, Step
from lab.host import environment
from lab.host.private_directory import private_directory
from lab.nodes.node import Node

_SPEC_CHECK = "Validating arguments"
"""What Ansible calls the tasks that it adds for a role's argument_specs."""
_DIES_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
GROUPS = {"server": "servers", "worker": "workers"}


@dataclass(frozen=True, kw_only=True)
class PlayRecap:
    """What a finished playbook did, as Ansible's PLAY RECAP counts it."""

    changed: Mapping[str, int]
    """Tasks that changed something, by node."""
    changed_tasks: tuple[str, ...]
    """Their names, each once; in check mode, of those that would."""
    untold: int
    """Changes by tasks whose results are hidden, as they have secrets."""
    durations: tuple[tuple[str, float], ...]
    """Each task, after its play and a colon, and the seconds that all nodes took for it."""


@dataclass(kw_only=True)
class _Listener:
    """Reads the events of ansible-runner as they come."""

    step: Step
    check: bool = False
    play: str = ""
    changed: dict[str, int] = field(default_factory=dict)
    changed_tasks: dict[str, None] = field(default_factory=dict)
    told: int = 0
    begun: list[tuple[str, float]] = field(default_factory=list)
    failures: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, event: Mapping[str, Any]) -> bool:
        data = event.get("event_data") or {}
        match event.get("event"):
            case "playbook_on_play_start":
                self.play = data.get("play", "")
            case "playbook_on_task_start":
                title = f"{self.play}: {data.get('task', '')}"
                self.begun.append((title, time.monotonic()))
                if not data.get("task", "").startswith(_SPEC_CHECK):
                    self.step.update(title)
            case "runner_on_ok" if (data.get("res") or {}).get("changed"):
                self.changed_tasks[data["task"]] = None
                self.told += 1
            case "runner_on_skipped" if self.check and _would_run(event.get("stdout", "")):
                self.changed_tasks[data["task"]] = None
            case "runner_on_failed" | "runner_on_unreachable" if not data.get("ignore_errors"):
                self.failures.append((data["task"], data["host"], data.get("res") or {}))
            case "playbook_on_stats":
                self.changed = dict(data.get("changed") or {})
        return False  # nothing of it needs to be kept on disk

    def durations(self) -> tuple[tuple[str, float], ...]:
        """Return how long each task took, until the next one began, or until now."""
        ends = [*(at for _, at in self.begun[1:]), time.monotonic()]
        return (
            tuple((title, end - at) for (title, at), end in zip(self.begun, ends, strict=True))
            if self.begun
            else ()
        )


def play(
    name: str,
    *,
    inventory: Inventory,
    nodes: Sequence[Node],
    variables: Mapping[str, Any],
    progress: Progress,
    title: str,
    limit_s: float,
    check: bool = False,
) -> PlayRecap:
    """Run playbooks/`name` on `nodes`; `variables` win over those of the inventory.

    With `check` it only tells what it would change. `limit_s` is the time in seconds after
    which it is ended. Raises LabError with the failed task's own message, and
    KeyboardInterrupt after Ctrl-C, which ends Ansible first.
    """
    import ansible_runner  # noqa: PLC0415 - its import takes 0.3 s that other commands spare

    with (
        progress.step(title, limit_s=limit_s) as step,
        private_directory() as private,
        _interruptible() as interrupted,
    ):
        listener = _Listener(step=step, check=check)
        addresses = private / "nodes.json"
        addresses.write_text(json.dumps(_addresses(nodes)))
        hosts = _hosts(inventory, private)
        with environment.in_force():  # A run copies this process's environment.
            runner = ansible_runner.interface.init_runner(
                private_data_dir=str(private),
                playbook=str(PLAYBOOKS / name),
                inventory=[str(hosts), str(addresses)],
                extravars=dict(variables),
                envvars=_environment(str(private)),
                settings={"job_timeout": int(limit_s)},
                cmdline="--check -v" if check else None,
                event_handler=listener,
                cancel_callback=lambda: bool(interrupted),
                quiet=True,
            )
        # A command that is killed takes Ansible with it: later it would work against the next.
        runner.config.command = [*_DIES_WITH_PARENT, *runner.config.command]
        runner.run()
        if interrupted:
            raise KeyboardInterrupt
        if runner.status != "successful":
            raise _failure(name, runner.status, listener, _output(runner), limit_s)
    return PlayRecap(
        changed=listener.changed,
        changed_tasks=tuple(listener.changed_tasks),
        untold=sum(listener.changed.values()) - listener.told,
        durations=listener.durations(),
    )


def _hosts(inventory: Inventory, private: Path) -> Path:
    """Return the file of hosts: the inventory's own, or one without those that were removed.

    That one stands beside the same variables of groups and hosts.
    """
    directory = inventory.directory.resolve()
    if not inventory.removed:
        return directory / "hosts.yml"
    kept = private / "without"
    kept.mkdir()
    for name in ("group_vars", "host_vars"):
        if (directory / name).exists():
            (kept / name).symlink_to(directory / name)
    hosts = kept / "hosts.json"
    hosts.write_text(json.dumps(without(directory / "hosts.yml", inventory.removed)))
    return hosts


def _would_run(line: str) -> bool:
    """Tell from what Ansible prints of a skipped task whether it can't tell what it would change.

    The event has no result of such a task.
    """
    return "Command would have run" in line or "Check mode is not supported" in line


def _addresses(nodes: Sequence[Node]) -> dict[str, Any]:
    """Return an inventory that says how each node of the other one is reached."""
    groups: dict[str, Any] = {group: {"hosts": {}} for group in GROUPS.values()}
    for node in nodes:
        groups[GROUPS[node.role]]["hosts"][node.name] = {
            "ansible_host": node.address,
            "ansible_user": node.ssh.user,
            "ansible_ssh_common_args": shlex.join(node.ssh.options),
            "ansible_become": node.ssh.user != "root",
            "lab_node_ip": node.address,
        }
    return {"all": {"children": groups}}


def _environment(private: str) -> dict[str, str]:
    """Return the variables that every run gets besides the composed ones."""
    return {
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_HOME": f"{private}/home",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FATAL": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{private}/cp",
        # The ansible-playbook of this Python, whatever PATH says.
        "PATH": f"{Path(sys.executable).parent}:{environment.path()}",
    }


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Collect the signals that end a command, so that Ansible is ended first.

    In a thread other than the main one, signals are left as they are.
    """
    caught: list[int] = []
    try:
        before = {
            number: signal.signal(
                number, lambda caught_number, _frame: caught.append(caught_number)
            )
            for number in (signal.SIGINT, *SIGNALS)
            if signal.getsignal(number) is not signal.SIG_IGN
        }
    except ValueError:
        yield caught
        return
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _output(runner: Any) -> str:
    try:
        return str(runner.stdout.read())
    except OSError:
        return ""


def _failure(name: str, status: str, listener: _Listener, output: str, limit_s: float) -> LabError:
    verb = "lab restore" if name == "restore.yml" else "lab up"
    again = f"Mend what it names and run `{verb}` again; it goes on where it stopped."
    if status == "timeout":
        return LabError(
            f"The playbook {name} did not end within {limit_s:g} s.",
            again,
            evidence="\n".join(output.splitlines()[-20:]),
        )
    if not listener.failures:
        return LabError(
            f"The playbook {name} ended as {status}.",
            again,
            evidence=shortened(output.strip()),
        )
    # The node that failed first has the cause, and the last that it says the evidence.
    first = listener.failures[0][1]
    task, host, res = [failure for failure in listener.failures if failure[1] == first][-1]
    parts = [str(res.get(key) or "").strip() for key in ("msg", "stderr", "stdout")]
    for item in res.get("results") or []:
        if item.get("failed"):
            parts += [str(item.get(key) or "").strip() for key in ("msg", "stderr")]
    return LabError(
        f"The task '{task}' of {name} failed on {host}.",
        again,
        evidence=shortened("\n".join(part for part in parts if part)),
    )
