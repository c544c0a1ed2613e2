"""The providers by name. This file alone names their classes, and imports one on use."""

from importlib import import_module
from typing import cast

from lab.artefacts import Cache
from lab.config.settings import Settings
from lab.console.errors import LabError
from lab.nodes.state import StateDirectory
from lab.providers.provider import Provider

PROVIDERS = {
    "container": "lab.providers.container.provider:ContainerProvider",
}
"""Value of `lab_provider` to the class, as module:name."""


def names() -> tuple[str, ...]:
    """Return the values that `lab_provider` may have."""
    return tuple(PROVIDERS)


def of(settings: Settings, cache: Cache) -> Provider:
    """Return the provider of the lab that `settings` describe."""
    name = settings.lab_name
    return provider(settings.lab_provider, name, StateDirectory(name), cache)


def provider(name: str, lab: str, state: StateDirectory, cache: Cache | None = None) -> Provider:
    """Return the provider called `name` for the lab called `lab`.

    `cache` is the artefact cache that its nodes use, this user's where it is not given.
    Raises LabError that lists the known ones where there is none of that name.
    """
    if name not in PROVIDERS:
        raise LabError(
            f"There is no provider {name!r}.", f"Set lab_provider to one of: {', '.join(names())}."
        )
    module, _, member = PROVIDERS[name].partition(":")
    made = getattr(import_module(module), member)(lab, state, cache or Cache())
    return cast("Provider", made)
