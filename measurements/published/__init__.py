"""Values that others published, and what of them may stand beside ours."""

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


def for_case(*, node: str, recovery: str) -> dict[str, Published]:
    """Return stage -> what the thesis says, for a broken node or a container's restart.

    A case that the thesis has not (a deleted pod) gets nothing.
    """
    reaction = usai2021()["reaction"]
    if node:
        return _node_isolated(reaction["node_isolated"])
    if recovery == "restart":
        return _container_restart(reaction["container_restart"])
    return {}


def _node_isolated(values: Mapping[str, Any]) -> dict[str, Published]:
    section, figure = f"section {values['section']}", f"figure {values['figure']}"
    grace, toleration = values["not_ready_after_s_by_design"], values["toleration_s"]
    about_s = values["restart_after_about_s"]
    return {
        "not_ready": Published(
            seconds=grace,
            where=section,
            kind="by design",
            about=f"{grace} s of being unreachable; measured in {figure}, no number printed",
        ),
        "evicted": Published(
            seconds=grace + toleration,
            where=section,
            kind="by design",
            about=f"{grace} s, plus the toleration that was set to {toleration} s",
        ),
        "started": Published(
            seconds=about_s,
            where=section,
            kind="read from the text",
            about=f"\u201caround a minute after the failure\u201d; measured in {figure}, "
            "no number printed",
        ),
    }


def _container_restart(values: Mapping[str, Any]) -> dict[str, Published]:
    return {
        "started": Published(
            seconds=None,
            where=f"figure {values['figure']} a",
            kind="figure only, no number printed",
            about=f"restart of {values['workload']} before any back-off, as seen by a "
            f"{values['probe']}",
        ),
    }
