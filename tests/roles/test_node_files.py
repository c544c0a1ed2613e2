"""The program that writes a role's files on a node."""

import io
import json
from pathlib import Path

import pytest

from tests.modules import loaded

PROGRAM = Path(__file__).parents[2] / "playbooks" / "files" / "node_files.py"
NOTHING = {"content": None, "link": None, "mode": None, "validate": None, "own": None}
"""An entry's options as the action plugin hands them on where the task names none."""


@pytest.fixture
def node_files(capsys, monkeypatch):
    """Run the program with entries; return its answer."""
    program = loaded(PROGRAM)

    def run(*entries, check=False):
        whole = [NOTHING | {"directory": False, "absent": False} | entry for entry in entries]
        monkeypatch.setattr(
            "sys.stdin", io.StringIO(json.dumps({"entries": whole, "check": check}))
        )
        program.main()
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


def test_what_a_role_has_put_there_goes_once(node_files, tmp_path):
    made = (
        {"path": f"{tmp_path}/etc/deep", "directory": True},
        {"path": f"{tmp_path}/etc/deep/file", "content": "new"},
        {"path": f"{tmp_path}/program", "link": "/cache/v1/program"},
    )
    gone = (
        {"path": f"{tmp_path}/etc/deep", "absent": True},
        {"path": f"{tmp_path}/etc", "directory": True, "absent": True},
        {"path": f"{tmp_path}/program", "link": "program*", "absent": True},
    )
    node_files(*made)
    # The second can't be told before the first is gone.
    assert node_files(*gone, check=True)["paths"] == [gone[0]["path"], gone[2]["path"]]
    assert (tmp_path / "etc/deep/file").exists()
    assert node_files(*gone)["paths"] == [entry["path"] for entry in gone]
    assert list(tmp_path.iterdir()) == []
    assert not node_files(*gone)["changed"]


def test_what_is_of_another_kind_stays(node_files, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/elsewhere/program")
    said = node_files(
        {"path": f"{tmp_path}/full", "directory": True, "absent": True},
        {"path": f"{tmp_path}/file", "directory": True, "absent": True},
        {"path": f"{tmp_path}/file", "link": "*", "absent": True},
        {"path": f"{tmp_path}/link", "link": "other", "absent": True},
        {"path": f"{tmp_path}/file", "own": "# mine", "absent": True},
    )
    assert not said["changed"]
    assert len(list(tmp_path.iterdir())) == 3


def test_what_the_machine_had_before_comes_back(node_files, tmp_path):
    file = tmp_path / "service.cfg"
    file.write_text("stock\n")
    file.chmod(0o640)
    role = {"path": str(file), "own": "# mine"}
    for content in ("# mine\n", "# mine, newer\n"):
        assert node_files({**role, "content": content})["changed"]
        assert not node_files({**role, "content": content})["changed"]
    assert file.stat().st_mode & 0o777 == 0o644
    assert node_files({**role, "absent": True})["changed"]
    assert file.read_text() == "stock\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["service.cfg"]
    assert not node_files({**role, "absent": True})["changed"]


def test_a_mount_point_stays_and_what_is_mounted_below_is_nobody_s_to_remove(
    node_files, tmp_path, monkeypatch
):
    (tmp_path / "state/sub").mkdir(parents=True)
    (tmp_path / "state/file").touch()
    entry = {"path": f"{tmp_path}/state", "absent": True}
    real = Path.read_text

    def mounted(*points):
        def read(self, *arguments, **words):
            if str(self) != "/proc/self/mountinfo":
                return real(self, *arguments, **words)
            return "".join(f"1 1 8:1 / {point} rw - ext4 /dev/sda1 rw\n" for point in points)

        monkeypatch.setattr(Path, "read_text", read)

    mounted(f"{tmp_path}/state/sub")
    said = node_files(entry)
    assert said["failed"]
    assert "state/sub is mounted below it" in said["msg"]
    assert (tmp_path / "state/file").exists()
    mounted(f"{tmp_path}/state")
    assert node_files(entry)["changed"]
    assert list((tmp_path / "state").iterdir()) == []
    assert not node_files(entry)["changed"]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"path": "/var", "absent": True}, "/var must be an absolute path below a top directory"),
        (
            {"path": "/x/y", "absent": True, "link": "y", "directory": True},
            "with one kind at most",
        ),
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
