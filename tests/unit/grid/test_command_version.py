"""The option --version of the commands."""

from collections.abc import Callable
from importlib import metadata

import pytest

import service
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
    assert capsys.readouterr().out == f"{name} {service.__version__}\n"


def test_the_version_needs_no_installation(capsys: pytest.CaptureFixture[str], monkeypatch):
    """The image of PMU and PDC has the packages, and nothing that pip knows of."""

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(SystemExit) as ended:
        pmu.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"pmu {service.__version__}\n"
