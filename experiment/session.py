"""A lab that is measured: the run that is written, and the probes that watch meanwhile."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiment.workloads import database
from experiment.workloads.database import Database
from lab.cluster.endpoints import HIGHER
from lab.cluster.lab import Lab, find
from lab.config.profiles import Profile
from lab.console.errors import LabError
from lab.nodes.mark import LabMark
from measurements.probes.api_watch import ApiWatch
from measurements.probes.consumer import Consumer
from measurements.probes.sql_writer import SqlWriter
from measurements.run import Run

PROBE_LIMIT_S = 60.0
"""How long the probes may take until each has seen something."""
STORAGE = {
    "longhorn": "longhorn (Longhorn's replicated block storage)",
    "gluster": "gluster (GlusterFS, a replica on each of three servers)",
    "shared": "shared (one host directory, in place of replicated storage)",
    "local": "local (a directory of one node)",
}
"""What held the database's rows, as a report names it."""


@dataclass(frozen=True, kw_only=True)
class MeasuredLab:
    """A lab under the probes."""

    lab: Lab
    """The lab."""
    profile: Profile
    """The timers in force there."""
    run: Run
    """Where everything is written."""
    consumer: Consumer
    """The consumer of the second-level PDC."""
    writer: SqlWriter
    """The writer of rows."""
    database: Database
    """The database with the PDCs' configuration."""


def look_up(name: str) -> tuple[Lab, LabMark]:
    """Return the running lab called `name`, and what it says of itself.

    Raises LabError where there is none, or a part of it does not run.
    """
    lab = find(name)
    if stopped := [node.name for node in lab.nodes if node.name not in lab.running]:
        raise LabError(
            f"{', '.join(stopped)} of the lab {name!r} {'is' if len(stopped) == 1 else 'are'} "
            "not running.",
            "Start it with `lab up`.",
        )
    about = LabMark.read_any(lab.nodes)
    if about is None:
        raise LabError(
            f"No node of the lab {name!r} says which timers are in force.",
            "Run `lab up` again: it did not come to its end.",
        )
    return lab, about


def _node_versions(lab: Lab) -> dict[str, str]:
    """Return what the kubelets say of the nodes; one entry where all say the same."""
    infos = [node.status.node_info for node in lab.cluster.list_nodes()]
    told = {
        "kubelet": {info.kubelet_version for info in infos},
        "container runtime": {info.container_runtime_version for info in infos},
        "node system": {info.os_image for info in infos},
        "kernel": {info.kernel_version for info in infos},
    }
    return {what: ", ".join(sorted(values)) for what, values in told.items()}


@contextlib.contextmanager
def measure(lab: Lab, about: LabMark, reports: Path) -> Iterator[MeasuredLab]:
    """Begin a run on `lab` and let the probes watch it until the end of a `with` block."""
    # The timers that are in force there, whatever the file here says by now.
    timers: dict[str, Any] = dict(about.timers)
    profile = Profile(name=about.profile, **timers)
    store = database.of(lab.cluster)
    hosts = [node.address for node in lab.nodes]
    consumed = [(host, HIGHER.port) for host in hosts]
    run = Run.create(
        reports,
        name=f"{lab.name}-{profile.name}",
        lab={
            "name": lab.name,
            "distribution": about.distribution,
            **about.settings,
            "nodes": {node.name: node.role for node in lab.nodes},
            "storage": STORAGE[about.versions["storage"]],
        },
        profile=asdict(profile),
        versions={
            **about.versions,
            **_node_versions(lab),
            **{f"image of {name}": image for name, image in about.images.items()},
        },
        measuring={"consumer": consumed, "idcode": HIGHER.idcode, "sql": store.addresses},
    )
    consumer = Consumer(run.history, consumed, idcode=HIGHER.idcode)
    writer = SqlWriter(run.history, store.addresses, user=database.USER, password=store.password)
    servers = [server.name for server in lab.cluster.servers]
    watch = ApiWatch(
        run.history, {name: lab.cluster.kubeconfig(name) for name in servers}, namespace="grid"
    )
    with contextlib.closing(run), watch, consumer, writer:
        watch.wait_synced(limit_s=PROBE_LIMIT_S)
        yield MeasuredLab(
            lab=lab,
            profile=profile,
            run=run,
            consumer=consumer,
            writer=writer,
            database=store,
        )
