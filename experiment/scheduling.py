"""The distribution of cases over the workers of pytest-xdist."""

from xdist.scheduler import LoadScopeScheduling


class ByLab(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Runs all cases of one lab in one worker, and those of different labs side by side.

    xdist's own grouping rewrites the tests' names, which pytest 9.2 ignores: the groups
    fall apart without a word (pytest-dev/pytest-xdist#1386). The lab's name stands in
    the test's own.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.rpartition("[")[2]
