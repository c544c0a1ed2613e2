"""What the volumes of a lab's workloads are on: what it has, what is asked for, or a provider's."""

from typing import get_args

from lab.config.inventory import Inventory
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.nodes.state import StateDirectory
from lab.providers.provider import Provider, StorageChoice

RETIRED = ("shared", "local")
"""What earlier versions of the kit had."""


def choose_storage(inventory: Inventory, provider: Provider) -> StorageChoice:
    """Stay with the storage of a lab that exists; take the one asked for, or the provider's.

    Raises LabError where another one is asked for than the lab has, and where what it has
    can't be told or is no longer there to be chosen.
    """
    settings = inventory.settings
    wanted, kept = settings.lab_storage, _kept(settings.lab_name)
    if kept:
        if wanted not in ("auto", kept):
            raise LabError(
                f"The volumes of the lab {settings.lab_name!r} are on {kept}; {wanted} is asked "
                "for, and what they hold would stay behind.",
                "Run `lab down` first, or give the other lab another name with --name.",
            )
        return StorageChoice(backend=kept, reason="the lab has it already")
    if wanted != "auto":
        return StorageChoice(backend=wanted, reason="asked for by lab_storage")
    return provider.storage(len(inventory.servers))


def remember_storage(lab: str, choice: StorageChoice) -> None:
    """Write down what the volumes of `lab` are on. It has its state directory by now."""
    StateDirectory(lab).storage.write_text(f"{choice.backend}\n")


def _kept(lab: str) -> str:
    """Return what the volumes of `lab` are on; empty where it has none yet."""
    written = StateDirectory(lab).storage
    if not written.exists():
        return ""
    kept = written.read_text(errors="replace").strip()
    if kept in RETIRED:
        raise LabError(
            f"The volumes of the lab {lab!r} are on {kept}, which this version of the kit does "
            "not have.",
            "Copy what you need of it (`lab kubectl exec`), then run `lab down` and `lab up`; or "
            "go on with the version that made it.",
        )
    if kept not in get_args(Settings.model_fields["lab_storage"].annotation):
        raise LabError(
            f"{written} is damaged; it says what the volumes of the lab are on.",
            "Write into it the NAME that `lab kubectl get storageclasses` shows as "
            "blackstart-NAME; or remove the lab with `lab down`.",
        )
    return kept
