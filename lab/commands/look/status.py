"""`lab status`: nodes, pods and frame rates, as tables or as JSON."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lab.cluster import health
from lab.cluster.endpoints import FRAME_RATE
from lab.cluster.health import LabStatus
from lab.cluster.lab import find
from lab.commands import options

app = options.verb_app()


@app.command(**options.shown("lab status", "lab status --name second --json"))
@options.explained()
def status(
    name: options.Name = options.DEFAULT_NAME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show nodes, pods, and each PDC's frames as a consumer outside sees them.

    Ends with 1 where a node or a pod is not ready, or frames do not flow.
    """
    answer = health.examine(find(name))
    if as_json:
        print(json.dumps(answer.document, indent=2))
    else:
        _show(answer, Console())
    raise typer.Exit(0 if answer.healthy else 1)


def _show(status: LabStatus, console: Console) -> None:
    """Print three tables and a verdict."""
    console.print(f"Lab [bold]{status.lab}[/]: {status.distribution or 'no cluster'}", end="")
    console.print(f", timers '{status.profile}'" if status.profile else "")
    nodes = Table("Node", "Role", "Address", "State", "Kubernetes", title_justify="left")
    for node in status.nodes:
        nodes.add_row(
            node.name, node.role, node.address, _mark(node.state, node.ready), node.version
        )
    console.print(nodes)
    if status.pods:
        pods = Table("Pod", "Node", "State", "Restarts")
        for pod in status.pods:
            state = "Ready" if pod.ready else pod.phase
            pods.add_row(pod.name, pod.node, _mark(state, pod.ready), str(pod.restarts))
        console.print(pods)
    frames = Table("Stream", "Frames/s", "Asked at", "")
    for rate in status.frames:
        shown = _mark(
            f"{rate.frames_per_s:.1f} of {FRAME_RATE}", rate.frames_per_s >= FRAME_RATE - 1
        )
        frames.add_row(rate.name, shown, rate.address, escape(rate.problem))
    console.print(frames)
    if status.problem:
        # Its brackets are a program's words, and no markup.
        console.print(status.problem, style="red", markup=False, highlight=False)
    console.print("healthy" if status.healthy else "not healthy", style="bold")


def _mark(text: str, good: bool) -> str:
    return f"[green]{text}[/]" if good else f"[red]{text}[/]"
