"""`lab up`, from the top: from nothing, or from whatever is there, to frames that flow."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import bundle, images
from lab.artefacts import Cache
from lab.bundle import Bundle, Choice
from lab.cluster.api import NAMESPACE, Cluster
from lab.cluster.kubectl import KUBECTL
from lab.commands import preflight
from lab.commands.status import frame_rates, not_flowing
from lab.config import profiles
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.console.progress import Progress, wait
from lab.host import packages
from lab.nodes.node import Node
from lab.nodes.state import State
from lab.providers.container import engine
from lab.providers.container.provider import CACHE_IN_NODE, ContainerProvider
from lab.provisioning.playbook import Outcome, play

BOOT_LIMIT_S = 60
PLAYBOOK_LIMIT_S = 900
FRAMES_LIMIT_S = 180


def up(inventory: Inventory, progress: Progress) -> tuple[Outcome, float]:
    """Bring the lab of `inventory` to the state that it describes.

    What is there already stays as it is: on a lab that runs, no task changes anything.
    Returns what the playbook did, and how long all of it took in seconds.
    """
    started = time.monotonic()
    settings = inventory.settings
    state = State(settings.lab_name)
    with state.lock():
        packages.authorise()
        packages.ensure(packages.NEEDED, progress)
        client = engine.ensure(progress)
        cache = Cache()
        provider = ContainerProvider(client, settings, state)
        found = provider.find()
        preflight.check(
            inventory,
            existing=len(found.nodes),
            cache=cache.root,
            engine_root=Path(client.info()["DockerRootDir"]),
        )
        preflight.raise_limits(progress)

        choice = _distribution(inventory, found.distribution, cache)
        progress.note(f"  Distribution: {choice.distribution}: {choice.reason}")
        if choice.distribution == "kubeadm":
            packages.ensure(packages.NEEDED_TO_BUILD, progress)
        files = bundle.prepare(choice.distribution, settings, cache, progress)
        image = images.node_image(settings, cache, progress)

        provider = ContainerProvider(client, settings, state, image=image, cache=cache.root)
        with progress.step(f"Boot {len(inventory.hosts)} nodes", limit_s=BOOT_LIMIT_S) as step:
            nodes = provider.create(inventory.hosts, choice.distribution)
            wait(
                "SSH on every node",
                lambda: _not_reached(nodes),
                limit_s=BOOT_LIMIT_S,
                step=step,
                evidence=provider.journal,
                cure="Run `lab down`, then `lab up` again.",
            )
        outcome = play(
            "site.yml",
            inventory=inventory.directory,
            nodes=nodes,
            variables=_variables(inventory, choice, files),
            progress=progress,
            title="Build the cluster and deploy the workloads",
            limit_s=PLAYBOOK_LIMIT_S,
        )
        cluster = Cluster(state, nodes)
        cluster.fetch_kubeconfigs()
        _await_frames(cluster, progress)
    return outcome, time.monotonic() - started


def _distribution(inventory: Inventory, there: str, cache: Cache) -> Choice:
    """Stay with the distribution of a lab that exists; choose one for a new lab."""
    wanted = inventory.settings.lab_distribution
    if not there:
        return bundle.choose_distribution(wanted, cache, inventory.settings)
    if wanted not in ("auto", there):
        raise LabError(
            f"The lab {inventory.settings.lab_name!r} runs {there}; {wanted} is asked for.",
            "Run `lab down` first, or give the other lab another name with --name.",
        )
    return Choice(distribution=there, reason="the lab runs it already")


def _not_reached(nodes: Sequence[Node]) -> str | None:
    for node in nodes:
        state = node.run(["systemctl", "is-system-running"], timeout_s=10, check=False)
        # A unit that failed is the playbook's preflight's to judge, not the boot's.
        if state.stdout.strip() not in ("running", "degraded"):
            return f"{node.name}: {state.stdout.strip() or state.stderr.strip() or 'no answer'}"
    return None


def _variables(inventory: Inventory, choice: Choice, files: Bundle) -> dict[str, Any]:
    return {
        **inventory.settings.model_dump(),
        "lab_settings": inventory.settings.model_dump(),
        "lab_distribution": choice.distribution,
        "lab_profile_timers": profiles.load(inventory.settings.lab_profile).timers,
        "lab_artefacts_dir": CACHE_IN_NODE,
        "lab_artefacts_mounted": True,
        "lab_storage_kind": "shared",
        "lab_artefacts": dict(files.files),
        "lab_image_archives": list(files.image_archives),
        "lab_images": dict(files.images),
        "lab_versions": dict(files.versions),
    }


def _await_frames(cluster: Cluster, progress: Progress) -> None:
    title = "Wait for frames at a consumer outside the cluster"
    with progress.step(title, limit_s=FRAMES_LIMIT_S) as step:
        wait(
            "frames at a consumer outside the cluster",
            lambda: not_flowing(frame_rates(cluster.nodes)),
            limit_s=FRAMES_LIMIT_S,
            step=step,
            evidence=lambda: workload_evidence(cluster),
            cure="`lab kubectl -n grid logs POD` shows what a pod says.",
        )


def workload_evidence(cluster: Cluster) -> str:
    """Return the pods and the newest events of the workloads, as kubectl shows them."""
    pods = [*KUBECTL, "get", "pods", "-n", NAMESPACE, "-o", "wide"]
    events = [*KUBECTL, "get", "events", "-n", NAMESPACE, "--sort-by=.lastTimestamp"]
    for server in cluster.servers:
        shown = server.run(pods, check=False)
        if shown.returncode == 0:
            newest = server.run(events, check=False).stdout.splitlines()[-15:]
            return shown.stdout + "\n".join(newest)
    return "no server answers"
