"""The option --version of the commands."""

from collections.abc import Callable
from importlib import metadata

import pytest

from grid.inspect import cli as c37118
from grid.pdc import cli as pdc
from grid.pmu import cli as pmu


@pytest.mark.parametrize(
    ("name", "main"), [("pmu", pmu.main), ("pdc", pdc.main), ("c37118", c37118.main)]
)
def test_a_command_prints_its_name_and_the_version(
    capsys: pytest.CaptureFixture[str], name: str, main: Callable[[list[str]], None]
):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{name} {metadata.version('blackstart')}\n"


def test_a_bare_source_tree_has_no_version(capsys: pytest.CaptureFixture[str], monkeypatch):
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(SystemExit) as ended:
        pmu.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "pmu unknown\n"
