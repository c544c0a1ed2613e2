"""A clone, and a lab of the tests' own: brought up once, and gone afterwards whatever happens.

LAB_TEST_NAME names the lab, so that one which a killed run left can be removed by hand;
LAB_TEST_SET holds settings such as `lab_distribution=k3s`, with spaces between them.
"""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.kit import Clone, Kit


@pytest.fixture(scope="session")
def bare_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Return a clone as git makes it. Its reports stay, its virtual environment goes."""
    clone = Clone.make(tmp_path_factory.mktemp("clone") / "blackstart")
    yield clone
    shutil.rmtree(clone.directory / ".venv", ignore_errors=True)


@pytest.fixture(scope="session")
def clone(bare_clone: Clone) -> Clone:
    """Return the clone with the virtual environment that `make lab-up` makes."""
    bare_clone.install()
    return bare_clone


@pytest.fixture(scope="session")
def running(bare_clone: Clone) -> Iterator[Kit]:
    """Bring a lab up from a clone that has nothing yet, with the timers of the inventory."""
    settings = os.environ.get("LAB_TEST_SET", "").split()
    kit = Kit(bare_clone, os.environ.get("LAB_TEST_NAME", "lab-test"), settings)
    try:
        kit.start()
        yield kit
    finally:
        kit.lab("down")
    assert kit.leftovers() == []
