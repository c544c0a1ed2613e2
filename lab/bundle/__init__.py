"""All that a lab needs, complete in the artefact cache."""

from lab.bundle.bundle import Bundle
from lab.bundle.distribution import DistributionChoice, choose_distribution
from lab.bundle.preparation import prepare, requirements

__all__ = ["Bundle", "DistributionChoice", "choose_distribution", "prepare", "requirements"]
