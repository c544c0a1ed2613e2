"""Rules of the source tree that no linter knows: where files stand, and what they are called."""

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("experiment", "grid", "lab", "measurements", "service")
MOST_MODULES = 12
"""A room with more has two subjects."""
LOOSE = {"__init__.py", "__main__.py"}
"""All that stands in grid/ and lab/ outside a room."""
SAME_ROLE = {"__init__", "__main__", "cli", "document", "fields", "metrics", "model", "provider"}
"""File names that say one role wherever they stand."""
RIDDLES = re.compile(r"\bto be had\b|\banew\b")
"""Words of old comments, with plain ones in their place: available, can be reached; again."""


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def rooms() -> list[Path]:
    """Return every folder with Python modules in the product's packages."""
    return sorted({module.parent for package in PACKAGES for module in modules(package)})


def twice(found: Mapping[str, list[Path]]) -> dict[str, list[str]]:
    return {
        name: [str(path.relative_to(ROOT)) for path in paths]
        for name, paths in found.items()
        if len(paths) > 1
    }


def room_name(room: Path) -> str:
    return str(room.relative_to(ROOT))


@pytest.mark.parametrize("package", ["grid", "lab"])
def test_every_module_stands_in_a_room(package: str) -> None:
    assert {module.name for module in (ROOT / package).glob("*.py")} <= LOOSE


@pytest.mark.parametrize("room", rooms(), ids=room_name)
def test_a_room_has_a_sign(room: Path) -> None:
    sign = room / "__init__.py"
    assert sign.exists(), "a folder of modules is a package"
    assert ast.get_docstring(ast.parse(sign.read_text())), "its docstring says what belongs there"


@pytest.mark.parametrize("room", rooms(), ids=room_name)
def test_a_room_is_not_crowded(room: Path) -> None:
    names = [module.stem for module in room.glob("*.py") if module.name not in LOOSE]
    assert len(names) <= MOST_MODULES, sorted(names)


@pytest.mark.parametrize("package", ["grid", "lab"])
def test_no_file_name_stands_for_two_things(package: str) -> None:
    found = defaultdict(list)
    for module in modules(package):
        if module.stem not in SAME_ROLE:
            found[module.stem].append(module)
    assert twice(found) == {}


def test_no_class_name_stands_for_two_things() -> None:
    found = defaultdict(list)
    for package in PACKAGES:
        for module in modules(package):
            for node in ast.parse(module.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    found[node.name.lstrip("_")].append(module)
    assert twice(found) == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_tells_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_comments_are_plain() -> None:
    files = [
        path
        for folder in (*PACKAGES, "playbooks", "inventories", "workloads", "tests/failover")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".yml", ".yaml", ".j2", ".sh"}
    ]
    riddles = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(files)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if RIDDLES.search(line)
    ]
    assert riddles == []
