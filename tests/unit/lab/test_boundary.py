"""What a user sees of errors that nobody expected, and of those that libraries raise."""

import errno
import json
import tempfile
from pathlib import Path

import pytest
import urllib3
from docker.errors import APIError
from kubernetes.client.exceptions import ApiException
from typer.testing import CliRunner

from lab.artefacts import download
from lab.commands import cli
from lab.commands.life import down
from lab.console import boundary
from lab.console.errors import LabError, shortened
from lab.host.command import CommandError, Result


@pytest.fixture
def told_of(monkeypatch, tmp_path):
    """Return the exit code and the words of a command in which an error is raised."""
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def told_of(error):
        def fail(*_):
            raise error

        monkeypatch.setattr(down, "remove", fail)
        done = CliRunner().invoke(cli.app, ["down"])
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("\nerror: ")
        return done.exit_code, done.stderr

    return told_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (APIError("409 Conflict"), "The Docker engine did not"),
        (ApiException(status=403, reason="Forbidden"), "The cluster's API did not"),
        (urllib3.exceptions.NewConnectionError(None, "refused"), "The cluster's API did not"),
        (OSError(errno.ENOSPC, "No space left on device", "/a/b"), "/a/b can't be used: No space"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), "BLACKSTART_STATE"),
        (OSError(errno.EROFS, "Read-only file system", "/a"), "Make its file system writable"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/a"), "shorter path"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/a"), "in the place of a directory"),
        (OSError(errno.EXDEV, "Invalid cross-device link", "/a", None, "/b"), "/a can't become /b"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "refused a step"),
        (MemoryError(), "no memory left"),
        (ModuleNotFoundError("x", name="ansible_runner"), "pip install 'blackstart[lab]'"),
        (
            CommandError(Result(argv=("x",), returncode=3, stdout="", stderr="why")),
            "code 3: x\nwhy",
        ),
    ],
)
def test_an_error_of_a_library_or_the_system_is_a_sentence(told_of, error, words):
    code, told = told_of(error)
    assert code == boundary.FAILED
    assert words in told


@pytest.mark.parametrize(
    "error",
    [
        json.JSONDecodeError("Expecting value", "", 0),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        UnicodeEncodeError("ascii", "\udcff", 0, 1, "surrogates"),
        RecursionError("maximum recursion depth exceeded"),
        KeyError("x"),
        ZeroDivisionError(),
        RuntimeError("several\nlines"),
    ],
)
def test_a_defect_of_the_kit_is_a_sentence_and_a_file(told_of, tmp_path, error):
    code, told = told_of(error)
    assert code == boundary.DEFECT
    assert f"does not know: {type(error).__name__}" in told
    (file,) = tmp_path.glob("blackstart-defect-*.txt")
    assert str(file) in told
    assert file.read_text().startswith("Traceback")


def test_a_defect_without_a_place_for_its_file_shows_where_it_was(monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/place")
    assert boundary.tell(KeyError("x")) == boundary.DEFECT
    assert "This is a defect of the kit.\nKeyError: 'x'" in capsys.readouterr().err


def test_evidence_keeps_the_reason_and_the_newest_lines():
    output = "the reason\n" + "noise\n" * 5000 + "the end"
    told = str(CommandError(Result(argv=("x",), returncode=1, stdout=output, stderr="")))
    assert "the reason" in told
    assert told.endswith("the end")
    assert shortened("short") == "short"


@pytest.mark.parametrize("url", ["https://" + "x" * 300 + "/", "http://[/", "nonsense"])
def test_an_odd_address_is_an_address_without_an_answer(url):
    assert "does not answer" in str(download.absent(url, limit_s=1))


def test_a_socks_proxy_is_named(monkeypatch):
    monkeypatch.setenv("https_proxy", "socks5h://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    why = download.absent("https://mirror.example/", limit_s=1)
    assert "https_proxy=socks5h://127.0.0.1:9 is a SOCKS proxy" in str(why)
    with pytest.raises(LabError, match="SOCKS proxy"):
        download.fetch(
            "https://mirror.example/x", Path(tempfile.mkdtemp()) / "x", notify=print, limit_s=0
        )
