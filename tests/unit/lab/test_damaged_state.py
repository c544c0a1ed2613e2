"""Whatever is wrong with a lab's files on this machine, the user sees one sentence and a cure."""

import builtins
import io
import os
import shutil
from pathlib import Path

import pytest
from fake_kit import is_told

from lab.nodes.state import StateDirectory

VERBS = {
    "status": [],
    "ssh": ["server-1", "true"],
    "kubectl": ["get", "pods"],
    "kubeconfig": [],
    "logs": ["server-1"],
    "heal": [],
    "down": [],
}
"""Verbs that ask a lab, with their other words."""
FILES = ["id_ed25519", "known_hosts", "kubeconfig-x-server-1.yaml"]
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: x
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
users: [{name: x, user: {token: x}}]
"""


def missing(path):
    path.unlink()


def directory(path):
    path.unlink()
    path.mkdir()


def linked(target):
    def damage(path):
        path.unlink()
        path.symlink_to(target or path)

    return damage


DAMAGES = {
    "missing": missing,
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(os.urandom(64)),
    "a list": lambda path: path.write_text("[1, 2]"),
    "a number": lambda path: path.write_text("1"),
    "odd keys": lambda path: path.write_text("{clusters: [1], current-context: {}, users: }"),
    "a directory": directory,
    "dangling": linked("/no/such/file"),
    "a loop": linked(None),
}


@pytest.fixture
def state():
    """Have the state directory of a lab, whole."""
    there = StateDirectory("x")
    there.directory.mkdir(parents=True)
    there.ssh.key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    there.ssh.known_hosts.write_text("127.0.0.1 ssh-ed25519 AAAA\n")
    there.kubeconfig("x", "server-1").write_text(KUBECONFIG)
    yield there
    if there.directory.is_dir():
        shutil.rmtree(there.directory)
    else:
        there.directory.unlink(missing_ok=True)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("verb", VERBS)
def test_damaged_state(kit, state, verb, file, damage):
    DAMAGES[damage](state.directory / file)
    done = kit(verb, "--name", "x", *VERBS[verb])
    # The stand-in for ssh reaches nobody, so a kubeconfig can't be fetched again.
    is_told(done, file, "No server of the lab 'x'", "No API server", "could not be healed")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("verb", VERBS)
def test_unreadable_state(kit, state, monkeypatch, verb, file):
    """As an ordinary user meets it: root may read everything, so that opening is refused here."""
    opening = io.open

    def refuse(path, *words, **options):
        if str(path) == str(state.directory / file):
            raise PermissionError(13, "Permission denied", str(path))
        return opening(path, *words, **options)

    monkeypatch.setattr(io, "open", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    done = kit(verb, "--name", "x", *VERBS[verb])
    is_told(done, file, "No server of the lab 'x'", "No API server", "could not be healed")


@pytest.mark.parametrize("verb", ["down", "status"])
def test_a_file_in_the_place_of_the_states_root(kit, tmp_path, monkeypatch, verb):
    (tmp_path / "state").write_text("")
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path / "state"))
    done = kit(verb, "--name", "x")
    assert done.exit_code == 1
    is_told(done, str(tmp_path / "state"))


@pytest.mark.parametrize("odd", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_an_odd_lock(kit, tmp_path, monkeypatch, odd):
    monkeypatch.setenv("BLACKSTART_STATE", str(tmp_path))
    odd(tmp_path / "x.lock")
    is_told(kit("down", "--name", "x"), "x.lock")


def test_keys_that_are_damaged_are_made_again(tmp_path):
    state = StateDirectory("x", tmp_path)
    state.make_keys()
    whole = state.host_key.read_bytes()
    state.ssh.key.write_bytes(b"\0\1")
    state.make_keys()
    assert state.ssh.key.read_bytes().startswith(b"-----BEGIN")
    assert state.host_key.read_bytes() == whole
