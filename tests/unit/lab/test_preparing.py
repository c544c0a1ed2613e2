"""What is decided before a lab's nodes are made."""

import pytest

from lab.commands import options
from lab.commands.life import preparing
from lab.console.errors import LabError
from lab.nodes.state import StateDirectory
from lab.providers.provider import NodeFiles

FILES = NodeFiles(artefacts_dir="/a", artefacts_mounted=True, storage="shared")


@pytest.mark.parametrize(
    ("wanted", "kept", "storage"),
    [
        ("auto", None, "shared"),
        ("auto", "gluster", "gluster"),
        ("gluster", None, "gluster"),
        ("gluster", "gluster", "gluster"),
    ],
)
def test_a_lab_stays_with_its_storage(tmp_path, monkeypatch, wanted, kept, storage):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    assert decided(wanted, kept) == storage


def test_another_storage_would_leave_the_rows_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    with pytest.raises(LabError, match="'x' are on gluster; local is asked for"):
        decided("local", "gluster")


def decided(wanted, kept):
    if kept:
        written = StateDirectory("x").storage
        written.parent.mkdir(parents=True)
        written.write_text(f"{kept}\n")
    inventory = options.read_lab(options.EMBEDDED, "x", [f"lab_storage={wanted}"])
    return preparing._storage(inventory, FILES)[0]


def test_a_damaged_note_of_the_storage_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    written = StateDirectory("x").storage
    written.parent.mkdir(parents=True)
    written.write_bytes(b"\xf5\xf5")
    inventory = options.read_lab(options.EMBEDDED, "x", [])
    with pytest.raises(LabError, match="is damaged") as raised:
        preparing._storage(inventory, FILES)
    assert str(written) in raised.value.message
