"""`make bench-rows`: kill MySQL and cut off its node, again and again; count the rows it lost."""

import contextlib
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from kubernetes import client
from rich.console import Console
from rich.table import Table

from benchmarks import command
from experiment import session
from experiment.workloads import database, pods, replicas
from experiment.workloads.pods import WorkloadPod
from lab.cluster.api import NAMESPACE, is_ready
from lab.cluster.lab import Lab
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal, wait
from lab.faults.fault import Fault, Unwritten, inject
from lab.faults.isolate import Isolate
from lab.faults.kill import Kill
from measurements.history import Recorder
from measurements.probes.sql_writer import SqlWriter

RETURN_LIMIT_S = 240.0
"""How long rows may fail to come after a fault: detection, eviction, start, recovery."""
WHOLE_LIMIT_S = 300.0
"""How long the lab may take after a fault until nodes are Ready and replicas equal."""
SETTLE_S = 5
"""Between two faults, in which rows are written."""
ROWS = 5
"""Rows that must come before MySQL counts as writing again."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fault."""

    fault: str
    """Its name."""
    silent_s: float
    """From its start until rows were acknowledged again, in seconds."""
    moved: bool
    """Whether MySQL was on another node then."""
    missing: int
    """Rows acknowledged since the beginning and not there any more."""


def main(
    name: Annotated[str, typer.Option(help="The lab, which runs.")] = "blackstart",
    kills: Annotated[int, typer.Option(help="How often MySQL is killed.")] = 20,
    isolations: Annotated[int, typer.Option(help="How often its node is cut off.")] = 20,
) -> None:
    """Break MySQL under a writer; end with 1 where an acknowledged row is gone."""
    progress = Terminal()
    lab, about = session.look_up(name)
    store = database.of(lab.cluster)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(Path(directory) / "history.jsonl")
        writer = SqlWriter(recorder, store.addresses, user=database.USER, password=store.password)
        with contextlib.closing(recorder), writer:
            writer.wait_for_rows(ROWS)
            for fault in (Kill.name,) * kills + (Isolate.name,) * isolations:
                outcomes.append(_break(lab, fault, writer, progress))
                last = outcomes[-1]
                progress.note(
                    f"  {len(outcomes)} of {kills + isolations}, {fault}: silent for "
                    f"{last.silent_s:.1f} s, {last.missing} of {writer.rows} rows missing"
                )
    _show(outcomes, f"{about.distribution}, {about.profile}, storage {about.versions['storage']}")
    raise typer.Exit(1 if any(outcome.missing for outcome in outcomes) else 0)


def _break(lab: Lab, name: str, writer: SqlWriter, progress: Progress) -> Outcome:
    """Break MySQL once, and return what that did, when the lab is whole again."""
    pod = _mysql(lab)
    node = lab.node(pod.node)
    fault: Fault = (
        Kill(node=node, pod=f"{NAMESPACE}/{pod.name}", container_id=pod.container_id)
        if name == Kill.name
        else Isolate(node=node, others=[other for other in lab.nodes if other != node])
    )
    with inject(fault, lab_name=lab.name, journal=Unwritten(), limit_s=RETURN_LIMIT_S + 60) as t_ns:
        _wait_for_rows(writer, name, pod)
        silent_s = (time.monotonic_ns() - t_ns) / 1e9
        moved = _mysql(lab).node != pod.node
    with progress.step("Wait until the lab is whole again", limit_s=WHOLE_LIMIT_S) as step:
        wait("a whole lab", lambda: _missing(lab), limit_s=WHOLE_LIMIT_S, step=step)
    if name == Kill.name:
        _replace(lab, progress)
    time.sleep(SETTLE_S)
    missing = writer.check().missing
    return Outcome(fault=name, silent_s=silent_s, moved=moved, missing=len(missing))


def _wait_for_rows(writer: SqlWriter, fault: str, pod: WorkloadPod) -> None:
    try:
        writer.wait_for_rows(ROWS, limit_s=RETURN_LIMIT_S)
    except TimeoutError as error:
        raise LabError(
            f"MySQL did not come back after {fault} of {pod.name} on {pod.node}.",
            "Look at `lab kubectl logs deployment/mysql -n grid`; the lab is left as it is.",
            evidence=str(error),
        ) from error


def _replace(lab: Lab, progress: Progress) -> None:
    """Give MySQL a new pod: an old one's container is started later after each kill."""
    old = _mysql(lab)
    client.CoreV1Api(lab.cluster.api()).delete_namespaced_pod(old.name, NAMESPACE)
    with progress.step("Wait for a new pod of MySQL", limit_s=WHOLE_LIMIT_S) as step:
        wait(
            "a new pod of MySQL",
            lambda: _missing(lab) or (f"{old.name} is there" if _mysql(lab) == old else None),
            limit_s=WHOLE_LIMIT_S,
            step=step,
        )


def _mysql(lab: Lab) -> WorkloadPod:
    """Return the pod of MySQL that serves."""
    found = [pod for pod in pods.of(lab.cluster) if pod.app == "mysql" and pod.ready]
    if not found:
        raise LabError("No pod of MySQL is ready.", "Look at `lab kubectl get pods -n grid`.")
    return found[0]


def _missing(lab: Lab) -> str | None:
    try:
        for node in lab.cluster.list_nodes():
            if not is_ready(node):
                return f"{node.metadata.name} must be Ready"
        return pods.missing(pods.of(lab.cluster)) or replicas.behind(lab.cluster.servers[0])
    except LabError as error:  # servers that come back answer nothing for a while
        return error.message


def _show(outcomes: list[Outcome], about: str) -> None:
    table = Table("Fault", "Times", "silent, median", "longest", "moved", "rows missing")
    for fault in dict.fromkeys(outcome.fault for outcome in outcomes):
        its = [outcome for outcome in outcomes if outcome.fault == fault]
        silent = [outcome.silent_s for outcome in its]
        table.add_row(
            fault,
            str(len(its)),
            f"{statistics.median(silent):.1f} s",
            f"{max(silent):.1f} s",
            str(sum(outcome.moved for outcome in its)),
            str(max(outcome.missing for outcome in its)),
        )
    Console().print(about, table)


if __name__ == "__main__":
    command.run(main)
