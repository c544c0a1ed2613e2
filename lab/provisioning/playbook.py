"""Running a playbook on the lab's nodes through ansible-runner, with progress and a verdict."""

import json
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.config.files import PLAYBOOKS
from lab.console.errors import LabError
from lab.console.progress import Progress, Step
from lab.nodes.node import Node

_SPEC_CHECK = "Validating arguments"
"""What Ansible calls the tasks that it adds for a role's argument_specs."""
EVIDENCE_LIMIT = 8000
"""Characters of evidence that an error shows."""
GROUPS = {"server": "servers", "worker": "workers"}


@dataclass(frozen=True, kw_only=True)
class PlayRecap:
    """What a finished playbook did, as Ansible's PLAY RECAP counts it."""

    changed: Mapping[str, int]
    """Tasks that changed something, by node."""
    changed_tasks: tuple[str, ...]
    """Their names, each once."""


@dataclass(kw_only=True)
class _Listener:
    """Reads the events of ansible-runner as they come."""

    step: Step
    play: str = ""
    changed: dict[str, int] = field(default_factory=dict)
    changed_tasks: dict[str, None] = field(default_factory=dict)
    failures: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, event: Mapping[str, Any]) -> bool:
        data = event.get("event_data") or {}
        match event.get("event"):
            case "playbook_on_play_start":
                self.play = data.get("play", "")
            case "playbook_on_task_start" if not data.get("task", "").startswith(_SPEC_CHECK):
                self.step.update(f"{self.play}: {data.get('task', '')}")
            case "runner_on_ok" if (data.get("res") or {}).get("changed"):
                self.changed_tasks[data["task"]] = None
            case "runner_on_failed" | "runner_on_unreachable" if not data.get("ignore_errors"):
                self.failures.append((data["task"], data["host"], data.get("res") or {}))
            case "playbook_on_stats":
                self.changed = dict(data.get("changed") or {})
        return False  # nothing of it needs to be kept on disk


def play(
    name: str,
    *,
    inventory: Path,
    nodes: Sequence[Node],
    variables: Mapping[str, Any],
    progress: Progress,
    title: str,
    limit_s: float,
) -> PlayRecap:
    """Run playbooks/`name` on `nodes`; `variables` win over those of the inventory.

    `limit_s` is the time in seconds after which it is ended. Raises LabError with the
    failed task's own message, and KeyboardInterrupt after Ctrl-C, which ends Ansible
    first.
    """
    import ansible_runner  # noqa: PLC0415 - its import takes 0.3 s that other commands spare

    with (
        progress.step(title, limit_s=limit_s) as step,
        # After Ctrl-C, connections that end may still write there for a moment.
        tempfile.TemporaryDirectory(prefix="blackstart-", ignore_cleanup_errors=True) as private,
        _interruptible() as interrupted,
    ):
        listener = _Listener(step=step)
        addresses = Path(private) / "nodes.json"
        addresses.write_text(json.dumps(_addresses(nodes)))
        with _without_ansible_variables():
            runner = ansible_runner.interface.init_runner(
                private_data_dir=private,
                playbook=str(PLAYBOOKS / name),
                inventory=[str(inventory.resolve() / "hosts.yml"), str(addresses)],
                extravars=dict(variables),
                envvars=_environment(private),
                settings={"job_timeout": int(limit_s)},
                event_handler=listener,
                cancel_callback=lambda: bool(interrupted),
                quiet=True,
            )
        runner.run()
        if interrupted:
            raise KeyboardInterrupt
        if runner.status != "successful":
            raise _failure(name, runner.status, listener, _output(runner), limit_s)
    return PlayRecap(changed=listener.changed, changed_tasks=tuple(listener.changed_tasks))


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


@contextmanager
def _without_ansible_variables() -> Iterator[None]:
    """Hide the ANSIBLE_* of the user's environment: they are meant for other projects.

    ansible-runner copies this process's environment when a run is set up, and adds to
    some of these variables.
    """
    hidden = {name: os.environ[name] for name in os.environ if name.startswith("ANSIBLE_")}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def _environment(private: str) -> dict[str, str]:
    """Return the variables that every run gets, whatever the user's are."""
    return {
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_HOME": f"{private}/home",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FATAL": "1",
        "ANSIBLE_NOCOLOR": "1",
        # Ansible refuses a locale that this machine lacks, or that is not UTF-8.
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{private}/cp",
        # The ansible-playbook of this Python, whatever PATH says.
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying, so that Ansible is ended first.

    In a thread other than the main one, signals are left as they are.
    """
    caught: list[int] = []
    try:
        before = {
            number: signal.signal(
                number, lambda caught_number, _frame: caught.append(caught_number)
            )
            for number in (signal.SIGINT, signal.SIGTERM)
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
    again = "Mend what it names and run `lab up` again; it goes on where it stopped."
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
            evidence="\n".join(output.splitlines()[-20:]),
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
        evidence=_shortened("\n".join(part for part in parts if part)),
    )


def _shortened(text: str) -> str:
    """Keep the beginning, which has the reason, and the end, which has the newest lines."""
    if len(text) <= EVIDENCE_LIMIT:
        return text
    half = EVIDENCE_LIMIT // 2
    return f"{text[:half]}\n[...]\n{text[-half:]}"
