"""The software that the settings choose in the place of the kit's own."""

from lab.artefacts.cache import Cache, machine_architecture
from lab.config.settings import Settings
from lab.images.foreign import ForeignSoftware
from lab.images.ipdc import IPDC
from lab.images.openpdc import OPENPDC


def chosen(settings: Settings) -> tuple[ForeignSoftware, ...]:
    """Return what a lab of these settings gets."""
    return tuple(one for one in (OPENPDC, IPDC) if _is_chosen(one, settings))


def pdc(settings: Settings, cache: Cache) -> str:
    """Return one line on the PDC that a lab gets; raises LabError where it can't be had."""
    return f"PDC: {_origin(OPENPDC, settings, cache)}"


def pmu(settings: Settings, cache: Cache) -> str:
    """Return one line on the PMUs that a lab gets; raises LabError where they can't be had."""
    return f"PMU: {_origin(IPDC, settings, cache)}"


def _origin(software: ForeignSoftware, settings: Settings, cache: Cache) -> str:
    if not _is_chosen(software, settings):
        return "grid, the kit's own"
    return software.check_available(machine_architecture(), cache)


def _is_chosen(software: ForeignSoftware, settings: Settings) -> bool:
    return bool(getattr(settings, software.setting) == software.name)
