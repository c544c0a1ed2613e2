"""What holds a lab's volumes is decided before its nodes are made."""

import pytest

from lab import bundle
from lab.commands import options
from lab.console.errors import LabError
from lab.nodes.state import StateDirectory
from lab.providers.provider import StorageChoice


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))


class Nodes:
    """A provider whose nodes have a storage by themselves."""

    def storage(self, servers):
        return StorageChoice(backend="local-path", reason="it is all that they have")


@pytest.mark.parametrize(
    ("wanted", "kept", "storage"),
    [
        ("auto", None, "local-path"),
        ("auto", "gluster", "gluster"),
        ("gluster", None, "gluster"),
        ("gluster", "gluster", "gluster"),
    ],
)
def test_a_lab_stays_with_its_storage(wanted, kept, storage):
    assert decided(wanted, kept).backend == storage


def test_what_the_nodes_have_is_chosen_for_a_reason():
    assert decided("auto", None).reason == "it is all that they have"


def test_another_storage_would_leave_the_rows_behind():
    with pytest.raises(LabError, match="'x' are on gluster; local-path is asked for"):
        decided("local-path", "gluster")


@pytest.mark.parametrize("wanted", ["auto", "gluster"])
@pytest.mark.parametrize("kept", ["shared", "local"])
def test_storage_that_the_kit_no_longer_has_is_named(wanted, kept):
    with pytest.raises(LabError, match=f"'x' are on {kept}, which this version") as raised:
        decided(wanted, kept)
    assert "lab down" in raised.value.cure


def test_a_damaged_note_of_the_storage_is_named():
    with pytest.raises(LabError, match="is damaged") as raised:
        decided("auto", b"\xf5\xf5")
    assert str(StateDirectory("x").storage) in raised.value.message


def test_what_was_chosen_is_kept():
    state = StateDirectory("x")
    state.storage.parent.mkdir(parents=True)
    bundle.remember_storage("x", StorageChoice(backend="gluster", reason=""))
    assert decided("auto", None).backend == "gluster"


def decided(wanted, kept):
    if kept:
        written = StateDirectory("x").storage
        written.parent.mkdir(parents=True)
        written.write_bytes(kept if isinstance(kept, bytes) else f"{kept}\n".encode())
    inventory = options.read_lab(options.EMBEDDED, "x", [f"lab_storage={wanted}"])
    return bundle.choose_storage(inventory, Nodes())
