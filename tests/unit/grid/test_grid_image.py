"""The image of PMU and PDC carries every package that they import."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
_LOADED = """
import sys
import grid.inspect.cli, grid.pdc.cli, grid.pdc.service, grid.pmu.cli, grid.pmu.metrics
for name, module in sys.modules.items():
    if name.partition(".")[0] in {packages}:
        print(module.__file__)
"""


def test_what_the_commands_import_is_copied_into_the_image(tmp_path: Path):
    recipe = yaml.safe_load((ROOT / "images" / "grid" / "image.yml").read_text())
    for target, source in recipe["copies"].items():
        shutil.copytree(ROOT / source, tmp_path / Path(target).name)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    packages = [name for name in shipped if (ROOT / name / "__init__.py").exists()]
    loaded = subprocess.run(
        [sys.executable, "-c", _LOADED.format(packages=packages)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert {"grid", "service"} <= {Path(path).relative_to(tmp_path).parts[0] for path in loaded}
