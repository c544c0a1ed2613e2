"""`lab logs`: the journal of a node, or the logs of a workload or a pod."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from lab.cluster.admin import kubectl_argv
from lab.cluster.api import NAMESPACE
from lab.cluster.lab import Lab, find
from lab.commands import options
from lab.console.errors import LabError
from lab.console.suggestions import meant

APP = "app.kubernetes.io/name"
"""The label with a workload's name."""

app = options.verb_app()


@app.command(**options.shown("lab logs worker-1 -n 20", "lab logs pdc-higher --follow"))
@options.explained()
def logs(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A node, a workload such as pdc-higher, or a pod of any namespace."
        ),
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="COUNT", min=1, help="How many to show.")
    ] = 100,
    name: options.Name = options.DEFAULT_NAME,
) -> None:
    """Show a node's journal, or what a workload's containers print."""
    options.become(list(_argv(find(name), what, follow=follow, lines=lines)))


def _argv(lab: Lab, what: str, *, follow: bool, lines: int) -> Sequence[str]:
    following = ["--follow"] if follow else []
    if what in {node.name for node in lab.nodes}:
        journal = ["journalctl", "--no-pager", "-n", str(lines), *following]
        return lab.running_node(what).root_argv(journal)
    selection = select(lab, what)
    arguments = ["logs", *selection, "--all-containers", "--prefix", f"--tail={lines}", *following]
    return kubectl_argv(lab, arguments, terminal=False)


def select(lab: Lab, what: str) -> list[str]:
    """Return kubectl's words for the pods of the workload or the pod called `what`.

    Raises LabError with the near names where there is neither, and with the pod's state
    where none of its containers has run.
    """
    names = [node.name for node in lab.nodes]
    try:
        pods = lab.cluster.list_pods()
    except LabError as error:
        raise LabError(
            f"{what} is no node of the lab {lab.name!r}, and its workloads can't be asked for.",
            f"{meant(what, names)} {error.cure}".strip(),
            evidence=f"{error.message}\n{error.evidence}",
        ) from None
    workloads = {
        pod.metadata.labels[APP]: None
        for pod in pods
        if pod.metadata.namespace == NAMESPACE and APP in (pod.metadata.labels or {})
    }
    if what in workloads:
        chosen = [pod for pod in pods if (pod.metadata.labels or {}).get(APP) == what]
        words = ["-n", NAMESPACE, "-l", f"{APP}={what}"]
    elif chosen := [pod for pod in pods if pod.metadata.name == what]:
        words = ["-n", chosen[0].metadata.namespace, what]
    else:
        deployed = [thing.metadata.name for thing in lab.cluster.list_deployments(NAMESPACE)]
        if what in deployed:
            raise LabError(
                f"{what} has no pod at this moment.",
                f"`lab kubectl -n {NAMESPACE} describe deployment {what}` says why.",
            )
        known = [*names, *workloads, *deployed, *(pod.metadata.name for pod in pods)]
        raise LabError(
            f"The lab {lab.name!r} has no node, workload or pod {what!r}.",
            f"{meant(what, known)} Nodes: {', '.join(names)}. "
            f"Workloads: {', '.join(sorted({*workloads, *deployed})) or 'none'}.".strip(),
        )
    if not any(_has_run(pod) for pod in chosen):
        raise LabError(
            f"{what} has not printed anything: no container of it has run yet.",
            f"`lab kubectl -n {chosen[0].metadata.namespace} describe pod "
            f"{chosen[0].metadata.name}` says more.",
            evidence="\n".join(_state(pod) for pod in chosen),
        )
    return words


def _has_run(pod: Any) -> bool:
    statuses = (pod.status.init_container_statuses or []) + (pod.status.container_statuses or [])
    return any(one.container_id or one.restart_count for one in statuses)


def _state(pod: Any) -> str:
    """Return in one line what a pod waits for."""
    waiting = [
        f"{one.state.waiting.reason}: {one.state.waiting.message or ''}"
        for one in pod.status.container_statuses or []
        if one.state and one.state.waiting
    ]
    unmet = [
        one.message for one in pod.status.conditions or [] if one.status != "True" and one.message
    ]
    return f"{pod.metadata.name}: {'; '.join(waiting or unmet) or pod.status.phase}"
