"""`make bench-up NODES=1,3,5 REPEAT=30`: how long clusters of several sizes take, k3s and kubeadm.

It repeats an experiment of D. Fevereiro's thesis (University of Coimbra, 2023, figure 7.5): one
server and the rest workers, each size deployed many times, from nothing to nodes that are Ready.
Machines, containers here and virtual machines there, are made within the time, binaries and
images are not. The distributions and sizes alternate, so that what else the machine does meets
them alike. Each deployment is written down when it ends: an interrupted run goes on with --output.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import command
from benchmarks.readiness import ready_after
from lab.artefacts import Cache
from lab.bundle import choose_distribution
from lab.cluster.lab import find
from lab.commands.life.down import remove
from lab.commands.life.preparing import prepare
from lab.commands.life.up import bring_up
from lab.config import inventory
from lab.config.inventory import Inventory
from lab.config.settings import Settings
from lab.console.progress import Terminal
from lab.nodes.mark import LabMark
from lab.providers import registry
from measurements import machine
from measurements.report import svg

QUANTITIES = {
    "control_plane_s": "first server Ready",
    "nodes_s": "all nodes Ready",
    "frames_s": "frames at the consumer",
}
"""What is timed, from the begin of `lab up`. Kubernetes writes down Ready to the second."""
COLOURS = {"k3s": "#0b7285", "kubeadm": "#c2570c"}


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One lab that was made from nothing."""

    distribution: str
    """k3s or kubeadm."""
    version: str
    """Its release."""
    nodes: int
    """Servers and workers; one is a server."""
    control_plane_s: float
    """Seconds until the server was Ready."""
    nodes_s: float
    """Seconds until all nodes were."""
    frames_s: float
    """Seconds until frames reached the consumer."""
    load: float
    """The machine's load (one minute) before."""


def main(
    nodes: Annotated[str, typer.Option(help="Sizes of the clusters.")] = "1,3,5",
    repeat: Annotated[int, typer.Option(min=1, help="Deployments of each size.")] = 30,
    distributions: Annotated[str, typer.Option(help="Which; auto is all that are here.")] = "auto",
    output: Annotated[
        Path | None, typer.Option(help="A directory; one that is there goes on.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the bench's own lab.")] = "bench",
) -> None:
    """Deploy clusters, and write deployment.json, .md and .svg."""
    progress = Terminal()
    kinds = _kinds(distributions)
    sizes = [int(size) for size in nodes.split(",")]
    target = output or Path("reports") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-deployment"
    target.mkdir(parents=True, exist_ok=True)
    done = _read(target)
    for kind, size in _due(kinds, sizes, repeat, done):
        number = sum((one.distribution, one.nodes) == (kind, size) for one in done) + 1
        progress.note(f"\n{kind}, {size} nodes, {number} of {repeat}")
        done.append(_deploy(name, kind, size, progress))
        _write(target, done)
    _show(done)
    progress.note(f"Written: {target}/deployment.json, .md and .svg")


def _kinds(wanted: str) -> list[str]:
    if wanted != "auto":
        return wanted.split(",")
    choice = choose_distribution("auto", Cache(), Settings())
    return ["k3s", "kubeadm"] if choice.distribution == "k3s" else ["kubeadm"]


def _due(
    kinds: Sequence[str], sizes: Sequence[int], repeat: int, done: Sequence[Deployment]
) -> Iterator[tuple[str, int]]:
    """Yield what has to be deployed still; every second round is in the opposite order."""
    left = {
        (kind, size): repeat - sum((one.distribution, one.nodes) == (kind, size) for one in done)
        for size in sizes
        for kind in kinds
    }
    for number in range(repeat):
        for pair in left if number % 2 == 0 else reversed(left):
            if number < left[pair]:
                yield pair


def _deploy(name: str, kind: str, size: int, progress: Terminal) -> Deployment:
    with tempfile.TemporaryDirectory(prefix="blackstart-bench-") as directory:
        wanted = _inventory(Path(directory), name, kind, size)
        cache = Cache()
        prepare(wanted, registry.of(wanted.settings, cache), cache, progress)
        load = machine.load().one_minute
        began = time.time()
        try:
            seconds = bring_up(wanted, progress).seconds
            lab = find(name)
            ready = ready_after(lab.cluster, began)
            mark = LabMark.read_any(lab.nodes)
        finally:
            remove(name, progress)
    return Deployment(
        distribution=kind,
        version=mark.versions.get("k3s" if kind == "k3s" else "kubernetes", "") if mark else "",
        nodes=size,
        control_plane_s=round(ready["server-1"], 1),
        nodes_s=round(max(ready.values()), 1),
        frames_s=round(seconds, 1),
        load=load,
    )


def _inventory(directory: Path, name: str, kind: str, size: int) -> Inventory:
    workers = {f"worker-{number}": None for number in range(1, size)}
    groups: Mapping[str, Any] = {
        "servers": {"hosts": {"server-1": None}},
        "workers": {"hosts": workers},
        "cluster": {"children": {"servers": None, "workers": None}},
    }
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
    (directory / "group_vars").mkdir()
    settings = {"lab_name": name, "lab_distribution": kind}
    (directory / "group_vars" / "all.yml").write_text(yaml.safe_dump(settings))
    return inventory.load(directory)


def _read(directory: Path) -> list[Deployment]:
    file = directory / "deployment.json"
    if not file.exists():
        return []
    return [Deployment(**one) for one in json.loads(file.read_text())["deployments"]]


def _write(directory: Path, done: Sequence[Deployment]) -> None:
    said = {
        "machine": machine.describe(),
        "versions": machine.versions(),
        "deployments": [asdict(one) for one in done],
    }
    (directory / "deployment.json").write_text(json.dumps(said, indent=1) + "\n")
    (directory / "deployment.md").write_text("\n".join(_lines(done)) + "\n")
    (directory / "deployment.svg").write_text(_plot(done) + "\n")


def _groups(done: Sequence[Deployment]) -> dict[tuple[int, str], list[Deployment]]:
    keys = sorted({(one.nodes, one.distribution) for one in done})
    return {k: [one for one in done if (one.nodes, one.distribution) == k] for k in keys}


def _spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation, which one value does not have."""
    if len(values) < 2:
        return f"{values[0]:.1f}"
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


def _rows(done: Sequence[Deployment]) -> Iterator[list[str]]:
    for (size, kind), group in _groups(done).items():
        times = ([getattr(one, quantity) for one in group] for quantity in QUANTITIES)
        yield [str(size), f"{kind} {group[0].version}", str(len(group)), *map(_spread, times)]


HEAD = ("Nodes", "Distribution", "Deployments", *(f"{q}, s" for q in QUANTITIES.values()))


def _lines(done: Sequence[Deployment]) -> Iterator[str]:
    yield "Seconds from the begin of `lab up`, mean ± standard deviation.\n"
    yield f"| {' | '.join(HEAD)} |"
    yield "|---" * len(HEAD) + "|"
    for row in _rows(done):
        yield f"| {' | '.join(row)} |"


def _show(done: Sequence[Deployment]) -> None:
    table = Table(*HEAD, title="From the begin of lab up: mean ± standard deviation")
    for row in _rows(done):
        table.add_row(*row)
    Console().print(table)


def _plot(done: Sequence[Deployment]) -> str:
    """Draw a bar a size and distribution: all nodes Ready, each deployment as a dot."""
    groups = _groups(done)
    top = max(one.nodes_s for one in done) * 1.1
    left, width, height, base = 46, 70, 260, 300

    def y(seconds: float) -> float:
        return base - seconds / top * height

    shapes = []
    step = next(s for s in (5, 10, 20, 50, 100, 200, 500) if top / s <= 8)
    for seconds in range(0, int(top) + 1, step):
        right = left + width * len(groups)
        shapes.append(svg.line(left, y(seconds), right, y(seconds), stroke="#d5d5d5"))
        shapes.append(svg.text(left - 6, y(seconds) + 4, f"{seconds}", text_anchor="end"))
    for place, ((size, kind), group) in enumerate(groups.items()):
        middle = left + width * (place + 0.5)
        values = [one.nodes_s for one in group]
        mean, spread = statistics.mean(values), statistics.stdev(values) if values[1:] else 0.0
        bar = svg.rect(middle - 20, y(mean), 40, base - y(mean), fill=COLOURS[kind], opacity=0.75)
        shapes.append(svg.titled(bar, f"{kind}, {size} nodes: {_spread(values)} s"))
        shapes.append(
            svg.line(middle, y(mean - spread), middle, y(mean + spread), stroke="#1a1a1a")
        )
        shapes += [
            svg.element("circle", cx=middle + 8, cy=y(value), r=2.2, fill="#1a1a1a", opacity=0.6)
            for value in values
        ]
        shapes.append(svg.text(middle, base + 16, kind, text_anchor="middle"))
        shapes.append(svg.text(middle, base + 32, f"{size} nodes", text_anchor="middle"))
    return svg.picture(
        "deployment",
        left + width * len(groups) + 10,
        base + 44,
        [svg.text(left, 18, "Seconds until all nodes are Ready", font_weight="600"), *shapes],
        title="Deployment time by distribution and cluster size",
        about="; ".join(f"{row[0]} nodes, {row[1]}: {row[4]} s" for row in _rows(done)),
    )


if __name__ == "__main__":
    command.run(main)
