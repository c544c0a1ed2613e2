"""Published values, typed by hand from their sources, that stand beside a run's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

THESIS = (
    "C. Usai, Delivering Resilient Virtualized Services in Smart Grid Environments, "
    "Politecnico di Torino, 2021"
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the thesis says about one stage of a recovery."""

    seconds: float | None
    """The value in seconds; None where the thesis prints no number."""
    where: str
    """Section or figure."""
    kind: str
    """`by design`, `set`, `read from the text`, or `figure only, no number printed`."""
    about: str
    """What the number is: a sentence."""


@cache
def usai2021() -> Mapping[str, Any]:
    """Return the thesis' values, as typed by hand from its chapter 6."""
    text = resources.files(__name__).joinpath("usai2021.yml").read_text(encoding="utf-8")
    values: Mapping[str, Any] = yaml.safe_load(text)
    return values


def keys() -> tuple[str, ...]:
    """Return the keys by which a case names the published value beside it."""
    return tuple(usai2021()["reaction"])


def stages(key: str) -> Mapping[str, Published]:
    """Return stage -> what the thesis says of the reaction `key`; nothing for an unknown key."""
    reaction = usai2021()["reaction"].get(key, {"stages": {}})
    return {
        stage: Published(
            seconds=values.get("seconds"),
            where=values["where"],
            kind=values["kind"],
            about=values["about"],
        )
        for stage, values in reaction["stages"].items()
    }
