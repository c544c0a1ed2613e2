"""The release of k3s that a lab has, or gets, where its inventory names a channel."""

from dataclasses import replace

from lab.artefacts import k3s
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


def _own(state: StateDirectory, there: NodeSet) -> str:
    """Return the release that the nodes have, or had; empty where there are none."""
    mark = LabMark.read_any([node for node in there.nodes if node.name in there.running])
    if mark and mark.versions.get("k3s"):
        return mark.versions["k3s"]
    if there.nodes and state.release.exists():
        return state.release.read_text().strip()
    return ""
