"""All that a lab needs, complete in the artefact cache."""

from lab.bundle.bundle import Bundle
from lab.bundle.choose import Choice, choose_distribution
from lab.bundle.preparation import prepare

__all__ = ["Bundle", "Choice", "choose_distribution", "prepare"]
