"""The distribution of cases over the workers of pytest-xdist."""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByLab(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Runs all cases of one lab in one worker, and those of different labs side by side.

    xdist's own grouping rewrites the tests' names, which pytest 9.2 ignores: the groups
    fall apart without a word (pytest-dev/pytest-xdist#1386). The lab's name stands in
    the test's own.
    """

    def __init__(self, config: pytest.Config, log: Any, *, labs: Sequence[str]) -> None:
        super().__init__(config, log)
        self._labs = sorted(labs, key=len, reverse=True)

    def _split_scope(self, nodeid: str) -> str:
        return lab_of(nodeid, self._labs) or nodeid


def lab_of(nodeid: str, labs: Sequence[str]) -> str | None:
    """Return the first of `labs` whose name is a parameter of the test; None for no such."""
    parameters = f"-{nodeid.partition('[')[2].removesuffix(']')}-"
    return next((lab for lab in labs if f"-{lab}-" in parameters), None)
