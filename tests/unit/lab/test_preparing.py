"""What is decided before a lab's nodes are made."""

import pytest

from lab.commands import options
from lab.commands.life import preparing
from lab.nodes.state import StateDirectory
from lab.providers.provider import NodeFiles

FILES = NodeFiles(artefacts_dir="/a", artefacts_mounted=True, storage="shared")


@pytest.mark.parametrize(
    ("wanted", "kept", "storage"),
    [
        ("auto", None, "shared"),
        ("auto", "gluster", "gluster"),
        ("gluster", None, "gluster"),
        # The role refuses this, as it would leave the rows behind.
        ("local", "gluster", "local"),
    ],
)
def test_a_lab_stays_with_its_storage(tmp_path, monkeypatch, wanted, kept, storage):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    if kept:
        written = StateDirectory("x").storage
        written.parent.mkdir(parents=True)
        written.write_text(f"{kept}\n")
    inventory = options.read_lab(options.EMBEDDED, "x", [f"lab_storage={wanted}"])
    assert preparing._storage(inventory, FILES)[0] == storage
