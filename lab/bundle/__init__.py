"""All that a lab needs, complete in the artefact cache."""

from lab.bundle.bundle import Bundle
from lab.bundle.distribution import DistributionChoice, check_available, choose_distribution
from lab.bundle.preparation import prepare, requirements
from lab.bundle.release import refuse_leap, released, remember
from lab.bundle.software import pdc, pmu
from lab.bundle.storage import choose_storage, remember_storage

__all__ = [
    "Bundle",
    "DistributionChoice",
    "check_available",
    "choose_distribution",
    "choose_storage",
    "pdc",
    "pmu",
    "prepare",
    "refuse_leap",
    "released",
    "remember",
    "remember_storage",
    "requirements",
]
