"""The release that a lab has, or gets: a channel's of k3s, and none that it can't go to."""

import re
from dataclasses import replace

from lab.artefacts import k3s, programs
from lab.config.inventory import Inventory
from lab.console.errors import LabError
from lab.nodes.mark import LabMark
from lab.nodes.state import StateDirectory
from lab.providers.provider import NodeSet


def released(inventory: Inventory, there: NodeSet) -> Inventory:
    """Put the release in the place of a channel: the lab's own, or the channel's newest.

    Raises LabError where k3s is asked for and the channel can't be; under `auto` the
    channel stays then, and is no release that could be had.
    """
    settings = inventory.settings
    if not k3s.is_channel(settings.lab_k3s_version) or settings.lab_distribution == "kubeadm":
        return inventory
    version = _own(StateDirectory(settings.lab_name), there)
    if not version:
        try:
            version = k3s.newest(settings.lab_k3s_version, channels=settings.lab_k3s_channels)
        except LabError:
            if settings.lab_distribution == "auto":
                return inventory
            raise
    return replace(inventory, settings=settings.model_copy(update={"lab_k3s_version": version}))


def remember(inventory: Inventory) -> None:
    """Write down the release that a channel stood for, for when none of the nodes can be asked.

    The lab has its state directory by now.
    """
    settings = inventory.settings
    StateDirectory(settings.lab_name).release.write_text(f"{settings.lab_k3s_version}\n")


def refuse_leap(inventory: Inventory, distribution: str, there: NodeSet) -> None:
    """Raise LabError where the lab's cluster can't go to the release that is asked for.

    Kubernetes goes on by one minor version at a time, and never back: what a newer one has
    written, an older one may not read. A lab whose nodes are off is judged by the playbook.
    """
    if distribution == "kubeadm":
        programs.kubernetes(inventory.settings.lab_kubernetes_version)  # this kit can build it
    mark = LabMark.read_any([node for node in there.nodes if node.name in there.running])
    program = {"k3s": "k3s", "kubeadm": "kubernetes"}[distribution]
    before = mark.versions.get(program, "") if mark and mark.distribution == distribution else ""
    setting = f"lab_{program}_version"
    wanted = getattr(inventory.settings, setting)
    (old, new) = ([int(part) for part in re.findall(r"\d+", text)] for text in (before, wanted))
    if not old or old <= new <= [old[0], old[1] + 1, *[10**6] * 3]:
        return
    lab = f"The lab {inventory.settings.lab_name!r} runs {program} {before}"
    if new < old:
        raise LabError(
            f"{lab}, and can't go back to {wanted}. Nothing was changed.",
            f"Set {setting} to {before} or a later release; or make a new lab: `lab down` first.",
        )
    raise LabError(
        f"{lab}, and can't go to {wanted} at once: it takes one minor version after the other. "
        "Nothing was changed.",
        f"Set {setting} to a release of v{old[0]}.{old[1] + 1} first.",
    )


def _own(state: StateDirectory, there: NodeSet) -> str:
    """Return the release that the nodes have, or had; empty where there are none."""
    mark = LabMark.read_any([node for node in there.nodes if node.name in there.running])
    if mark and mark.versions.get("k3s"):
        return mark.versions["k3s"]
    if there.nodes and state.release.exists():
        written = state.release.read_text(errors="replace").strip()
        return "" if k3s.is_channel(written) else written
    return ""
