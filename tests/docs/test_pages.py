"""Whatever a document tells somebody to type works, typed as it stands there.

Each page has a shell of its own at the top of a clone. README.md begins as a new terminal does;
every other page in the virtual environment that README.md makes and activates. README.md comes
first: its run of the failover suite is the one that other pages look at.
"""

import pytest

from tests.docs import blocks
from tests.docs.blocks import Block
from tests.docs.shell import Shell
from tests.kit import ROOT, Clone

NEW_TERMINAL = "README.md"
LIMIT_S = 180.0
"""How long a block may take."""
LAB_LIMIT_S = 1800.0
"""How long one may take that works on a lab."""


def pages() -> list[object]:
    """Return the pages with blocks that are run, each with those blocks."""
    found = []
    for page in blocks.pages(ROOT):
        if run := [block for block in blocks.read(page, ROOT) if block.is_run]:
            marks = [pytest.mark.docs, pytest.mark.lab] if needs_lab(run) else [pytest.mark.docs]
            found.append(pytest.param(run, id=run[0].page, marks=marks))
    return found


def needs_lab(run: list[Block]) -> bool:
    return any(block.needs_lab for block in run)


@pytest.mark.parametrize("run", pages())
def test_commands_of(run: list[Block], bare_clone: Clone, request: pytest.FixtureRequest) -> None:
    page = run[0].page
    if needs_lab(run):
        kit = request.getfixturevalue("running")
        kit.ensure()
        more = kit.environment
    else:
        request.getfixturevalue("clone")
        more = {"LAB_NAME": "no-lab-of-this-name"}
    environment = bare_clone.environment(active=page != NEW_TERMINAL, **more)
    with Shell(bare_clone.directory, environment) as shell:
        for block in run:
            ran = shell.run(block.script, limit_s=LAB_LIMIT_S if block.needs_lab else LIMIT_S)
            told = f"{block.where}: {ran.problem}\n{block.script}\n{ran.output}"
            print(told)
            if ran.problem:
                pytest.fail(told, pytrace=False)
