"""The module that writes a role's files on a node."""

import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.modules import loaded

MODULE = Path(__file__).parents[2] / "playbooks" / "library" / "node_files.py"


@pytest.fixture
def node_files(capsys):
    """Run the module with entries; return its result, and whether it failed."""
    module = loaded(MODULE)

    def run(*entries, check=False):
        with (
            patch_module_args({"entries": list(entries), "_ansible_check_mode": check}),
            pytest.raises(SystemExit),
        ):
            module.main()
        return json.loads(capsys.readouterr().out)

    return run


def test_it_makes_everything_once(node_files, tmp_path):
    entries = (
        {"path": f"{tmp_path}/etc/deep", "directory": True},
        {"path": f"{tmp_path}/etc/deep/file", "content": '{"a": "ä"}\n', "mode": "0600"},
        {"path": f"{tmp_path}/link", "link": "etc/deep/file"},
    )
    first = node_files(*entries)
    assert first["changed"]
    assert first["paths"] == [entry["path"] for entry in entries]
    assert (tmp_path / "link").read_text() == '{"a": "ä"}\n'
    assert (tmp_path / "etc/deep/file").stat().st_mode & 0o777 == 0o600
    again = node_files(*entries)
    assert not again["changed"]
    assert again["paths"] == []


def test_only_what_differs_is_named(node_files, tmp_path):
    one, other = ({"path": f"{tmp_path}/{name}", "content": name} for name in ("one", "other"))
    node_files(one, other)
    changed = node_files(one, {**other, "content": "new"})
    assert changed["paths"] == [other["path"]]
    assert changed["diff"][0]["before"] == "other"
    assert changed["diff"][0]["after"] == "new"
    assert node_files(one, {**other, "content": "new", "mode": "0640"})["paths"] == [other["path"]]


def test_a_link_is_led_elsewhere(node_files, tmp_path):
    node_files({"path": f"{tmp_path}/link", "link": "old"})
    assert node_files({"path": f"{tmp_path}/link", "link": "new"})["changed"]
    assert (tmp_path / "link").readlink() == Path("new")


def test_check_mode_says_what_would_change_and_leaves_it(node_files, tmp_path):
    said = node_files(
        {"path": f"{tmp_path}/etc", "directory": True},
        {"path": f"{tmp_path}/etc/file", "content": "new"},
        {"path": f"{tmp_path}/link", "link": "file"},
        check=True,
    )
    assert len(said["paths"]) == 3
    assert list(tmp_path.iterdir()) == []


def test_refused_content_leaves_every_path_as_it_was(node_files, tmp_path):
    said = node_files(
        {"path": f"{tmp_path}/first", "content": "fine"},
        {"path": f"{tmp_path}/second", "content": "bad", "validate": "grep good %s"},
    )
    assert said["failed"]
    assert f"{tmp_path}/second was left as it is: grep good %s refuses" in said["msg"]
    assert list(tmp_path.iterdir()) == []
    accepted = {"path": f"{tmp_path}/second", "content": "good", "validate": "grep good %s"}
    assert node_files(accepted)["changed"]
    assert not node_files(accepted)["changed"]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"path": "relative", "content": "x"}, "relative must be an absolute path"),
        ({"path": "/x"}, "/x must be an absolute path with one of content, link and directory"),
        ({"path": "/x", "content": "x", "link": "y"}, "with one of content, link and directory"),
        ({"path": "/nowhere/at/all", "content": "x"}, "/nowhere/at/all could not be written"),
    ],
)
def test_what_cannot_be_done_is_said(node_files, entry, why):
    said = node_files(entry)
    assert said["failed"]
    assert why in said["msg"]
