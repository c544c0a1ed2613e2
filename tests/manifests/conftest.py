"""The overlay that the role applies, with the kit's own software and with others'."""

import shutil
import subprocess

import pytest
import yaml

from tests.manifests.built import ROLE, WORKLOADS, Object, kubectl


@pytest.fixture(
    scope="module", params=[(), ("openpdc",), ("ipdc",), ("openpdc", "ipdc")], ids=" ".join
)
def foreign(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Name the components that are deployed in the place of the kit's own software."""
    return tuple(request.param)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory, foreign: tuple[str, ...]) -> list[Object]:
    """Return every object of the overlay that the role applies, with these components."""
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    copy = tmp_path_factory.mktemp("manifests")
    shutil.copytree(WORKLOADS, copy, dirs_exist_ok=True)
    site = {
        "resources": [f"../overlays/{defaults['workloads_overlay']}"],
        "components": [f"../components/{name}" for name in foreign],
    }
    (copy / "site").mkdir()
    (copy / "site" / "kustomization.yaml").write_text(yaml.safe_dump(site))
    argv = [*kubectl(tmp_path_factory.mktemp("bin")), "kustomize", copy / "site"]
    built = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    return list(yaml.safe_load_all(built.stdout))
