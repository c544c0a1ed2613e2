"""The artefact cache, and how its files get there."""

from lab.artefacts.cache import Artefact, Cache

__all__ = ["Artefact", "Cache"]
