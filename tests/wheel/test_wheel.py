"""What the kit's wheel brings, made from a clone and installed outside of any checkout."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.artefacts import Cache
from lab.images import build, recipe
from service import __version__
from tests.kit import ROOT, Clone

SHIPPED = ("experiment", "grid", "lab", "measurements", "service")
"""Packages of the wheel."""
FILES = {folder: f"lab/files/{folder}" for folder in ("images", "inventories", "playbooks")} | {
    "workloads": "lab/files/workloads",
    "tests/failover": "experiment/suites/failover",
}
"""Folder of the checkout: where the wheel has it."""
LAB_ONLY = {"ansible-core", "ansible-runner", "docker", "kubernetes", "pydantic", "pytest", "typer"}
"""Libraries that only the extra `lab` brings."""


@dataclass(frozen=True)
class Installed:
    """A virtual environment, and a folder far from any checkout to use it in."""

    programs: Path
    folder: Path
    environment: dict[str, str]

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs."""
        return subprocess.run(
            [self.programs / program, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def built(bare_clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source distribution, and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    argv = [sys.executable, "-m", "build", "--outdir", str(folder), str(bare_clone.directory)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


def install(wheel: Path, extra: str, folder: Path, clone: Clone) -> Installed:
    venv = folder / "venv"
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=120)
    pip = [venv / "bin" / "python", "-m", "pip", "-q", "--disable-pip-version-check"]
    argv = [*pip, "install", f"{wheel}{extra}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    environment = clone.environment(active=False)
    environment["PATH"] = f"{venv / 'bin'}:{environment['PATH']}"
    return Installed(venv / "bin", elsewhere, environment)


@pytest.fixture(scope="module")
def base(
    wheel: Path, bare_clone: Clone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    return install(wheel, "", tmp_path_factory.mktemp("base"), bare_clone)


@pytest.fixture(scope="module")
def lab(
    wheel: Path, bare_clone: Clone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    return install(wheel, "[lab]", tmp_path_factory.mktemp("lab"), bare_clone)


def tracked(clone: Clone, folder: str) -> set[str]:
    """Return the files of a folder of the clone that git knows, without its documents."""
    argv = ["git", "-C", str(clone.directory), "ls-files", folder]
    listed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return {line for line in listed.splitlines() if not line.endswith(".md")}


def test_the_wheel_has_what_git_has_of_its_folders_and_no_more(
    wheel: Path, bare_clone: Clone
) -> None:
    expected = {file for package in SHIPPED for file in tracked(bare_clone, package)}
    for folder, target in FILES.items():
        expected |= {file.replace(folder, target, 1) for file in tracked(bare_clone, folder)}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_programs_within_images_stay_programs(wheel: Path, bare_clone: Clone) -> None:
    programs = {
        file.replace("images", "lab/files/images", 1)
        for file in tracked(bare_clone, "images")
        if (bare_clone.directory / file).stat().st_mode & 0o100
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {info.filename for info in archive.infolist() if info.external_attr >> 16 & 0o100}
    assert found == programs
    assert programs


def test_images_copy_nothing_but_packages_of_the_wheel() -> None:
    recipes = [folder.parent.name for folder in recipe.IMAGES.glob("*/image.yml")]
    copied = {source for name in recipes for source in recipe.load(name).copies.values()}
    assert copied == {"grid", "service"}


def test_licence_and_version_are_told(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("dist-info/METADATA")]
        text = archive.read(metadata).decode()
        licence = archive.read(metadata.replace("METADATA", "licenses/LICENSE"))
    assert "\nLicense-Expression: Apache-2.0\n" in text
    assert f"\nVersion: {__version__}\n" in text
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_source_distribution_has_the_tests_and_documents(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "Makefile", "README.md", "tests/wheel/test_wheel.py"} <= names


def test_without_extras_nothing_of_the_lab_is_installed(base: Installed) -> None:
    listed = base.run("pip", "list", "--format=freeze").stdout.lower().splitlines()
    installed = {line.partition("==")[0] for line in listed}
    assert "blackstart" in installed
    assert installed & {*LAB_ONLY, "paho-mqtt", "andes"} == set()


@pytest.mark.parametrize("command", ["pmu", "pdc", "c37118"])
def test_the_grids_commands_need_no_extra(base: Installed, command: str) -> None:
    done = base.run(command, "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{command} {__version__}"
    assert base.run(command, "--help").returncode == 0


def test_lab_without_its_extra_says_what_to_install(base: Installed) -> None:
    done = base.run("lab", "up")
    assert done.returncode == 1
    assert done.stderr == (
        "\nerror: This command needs the Python package typer, which is not installed.\n"
        "Run: pip install 'blackstart[lab]'\n"
    )


def test_lab_tells_its_version(lab: Installed) -> None:
    assert lab.run("lab", "--version").stdout.strip() == f"lab {__version__}"


def test_lab_finds_its_files_from_any_folder(lab: Installed) -> None:
    done = lab.run("lab", "preflight")
    assert "lab/files/inventories/embedded: taken" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr


def test_the_image_of_the_installed_kit_is_that_of_the_checkout(lab: Installed) -> None:
    program = (
        "from lab.artefacts import Cache\n"
        "from lab.images import build\n"
        "print(*build.gather('grid', version='1', cache=Cache()).names)\n"
    )
    done = lab.run("python", "-c", program)
    assert done.stdout.split() == list(build.gather("grid", version="1", cache=Cache()).names)


def test_the_suite_is_found_by_its_name(lab: Installed) -> None:
    collect = ("-m", "failover", "--collect-only", "-q")
    found = lab.run("pytest", "--pyargs", "experiment.suites.failover", *collect)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "warning" not in found.stdout
    here = subprocess.run(
        [sys.executable, "-m", "pytest", *collect],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert cases(found.stdout) == cases(here.stdout)
    assert cases(found.stdout)


def cases(collected: str) -> list[str]:
    return [line.rpartition("/")[2] for line in collected.splitlines() if "::" in line]
