"""The artefact cache, and how its files get there."""

from lab.artefacts.bundle import Bundle
from lab.artefacts.cache import Artefact, Cache
from lab.artefacts.choose import Choice, choose_distribution
from lab.artefacts.preparation import prepare

__all__ = ["Artefact", "Bundle", "Cache", "Choice", "choose_distribution", "prepare"]
