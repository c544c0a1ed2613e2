"""What the plugin keeps in a pytest session's stash."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from experiment.runs import Runs

RUNS: pytest.StashKey["Runs"] = pytest.StashKey()
"""What this session measures; absent in a session that breaks no lab."""
LEFT_OUT = pytest.StashKey[int]()
"""Measuring cases that were left out because nobody asked for them."""
